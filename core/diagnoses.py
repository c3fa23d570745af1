"""The seven diagnoses of HAM10000 in output order, with full names and malignancy."""

from dataclasses import dataclass

from core.choices import check_choice


@dataclass(frozen=True)
class Diagnosis:
    """One output class of every network.

    Reference: Tschandl et al., "The HAM10000 dataset", Sci Data 2018, Table 1.
    """

    code: str
    name: str
    malignant: bool
    about: str


DIAGNOSES: tuple[Diagnosis, ...] = (
    Diagnosis(
        "akiec",
        "Actinic keratosis / Bowen's disease",
        True,
        "Actinic keratoses and intraepithelial carcinoma: pre-malignant or in-situ squamous lesions that call for treatment.",
    ),
    Diagnosis("bcc", "Basal cell carcinoma", True, "The commonest skin cancer; rarely spreads, destroys locally."),
    Diagnosis(
        "bkl",
        "Benign keratosis",
        False,
        "Seborrhoeic keratosis, solar lentigo and lichen-planus-like keratosis.",
    ),
    Diagnosis("df", "Dermatofibroma", False, "A benign fibrous nodule, often with a central white patch."),
    Diagnosis("mel", "Melanoma", True, "Malignant melanocytic tumour, invasive or in situ."),
    Diagnosis("nv", "Melanocytic nevus", False, "A mole: benign melanocytic tumour, in many variants."),
    Diagnosis("vasc", "Vascular lesion", False, "Angioma, angiokeratoma, pyogenic granuloma or haemorrhage."),
)

CODES: tuple[str, ...] = tuple(d.code for d in DIAGNOSES)
NAMES: dict[str, str] = {d.code: d.name for d in DIAGNOSES}
MALIGNANT: tuple[bool, ...] = tuple(d.malignant for d in DIAGNOSES)


def index_of(code: str) -> int:
    """Position of a diagnosis in the output order.

    Raises:
        ValueError: `code` is not one of the seven.
    """
    check_choice("diagnosis", code, CODES)
    return CODES.index(code)


# Of the question that matters most: is it a melanoma, and no nevus.
MELANOMA, NEVUS = index_of("mel"), index_of("nv")
