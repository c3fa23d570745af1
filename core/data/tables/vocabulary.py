"""The words that tables use for the same thing: missing values, sexes, body sites, ages, diagnoses, column names."""

import math
import re

from core.data.patient import SITES
from core.diagnoses import CODES


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(";"))


# What spreadsheets, pandas, R and people write where nothing is known.
MISSING: frozenset[str] = frozenset(
    _words(
        "na; n/a; n.a.; n.a; #n/a; #na; #n/a n/a; <na>; nan; -nan; nat; none; null; nil; unknown; unkown; unk; "
        "undefined; undetermined; missing; empty; blank; not available; not known; not specified; unspecified; "
        "not reported; not recorded; not given; n.d.; nd; -; --; ---; –; —; ?; ??; .; ..; _; /; *; #ref!; "
        "#value!; #name?; #null!; #num!; #div/0!; not applicable; not provided; tbd; nk; n/k"
    )
) | {""}

# Names of columns, in the order in which they are preferred; `column_name` has put them in this form.
ALIASES: dict[str, tuple[str, ...]] = {
    "image_id": ("image_id", "image", "isic_id", "image_name", "imageid", "img_id", "filename", "file_name", "name"),
    "lesion_id": ("lesion_id", "lesionid", "lesion_ids", "lesion_identifier", "lesion"),
    "dx": ("dx", "diagnosis"),
    "dx_type": ("dx_type", "diagnosis_confirm_type"),
    "age": ("age", "age_approx", "age_approximate", "approximate_age", "age_years"),
    "sex": ("sex", "gender"),
    "localization": (
        *("localization", "localisation", "anatom_site_special", "anatom_site_general", "anatom_site"),
        *("anatomical_site", "anatomic_site", "body_site", "site"),
    ),
    "dataset": ("dataset",),
}
# Of the ISIC Archive's hierarchies, the deepest level first.
DIAGNOSIS_LEVELS = tuple(f"{name}_{level}" for name in ("diagnosis", "iddx") for level in (5, 4, 3, 2, 1))
SITE_LEVELS = tuple(f"anatom_site_{level}" for level in (5, 4, 3, 2, 1))

KNOWN_COLUMNS = frozenset(name for names in ALIASES.values() for name in names) | {*DIAGNOSIS_LEVELS, *SITE_LEVELS}

_SEXES = {
    **dict.fromkeys(("f", "female", "woman", "girl", "females", "female patient"), "female"),
    **dict.fromkeys(("m", "male", "man", "boy", "males", "male patient"), "male"),
}

# The International Skin Imaging Collaboration's sites and everyday words -> HAM10000's. Where HAM10000 is finer, its commonest
# site of that region: of its 1,097 lesions of head and neck 745 are of the face. `COARSE` says so to the reader.
COARSE: dict[str, str] = {
    "head/neck": "face",
    "head and neck": "face",
    "head": "face",
    "anterior torso": "trunk",
    "lateral torso": "trunk",
    "anterior trunk": "trunk",
    "lateral trunk": "trunk",
    "oral/genital": "genital",
    "oral or genital": "genital",
    "palms/soles": "acral",
    "acral palms or soles": "acral",
}
_SITES: dict[str, str] = {
    **{site: site for site in SITES},
    **COARSE,
    **dict.fromkeys(
        _words("torso; axilla; armpit; flank; trunk nos; lateral chest; lateral abdomen"),
        "trunk",
    ),
    **dict.fromkeys(
        _words("posterior torso; posterior trunk; upper back; mid back; lower back"),
        "back",
    ),
    **dict.fromkeys(_words("anterior chest; breast; upper chest; thorax"), "chest"),
    **dict.fromkeys(_words("anterior abdomen; belly; stomach; periumbilical region"), "abdomen"),
    **dict.fromkeys(
        _words("cheek; nose; forehead; temple; chin; lip; eyelid; orbital region; oral region"),
        "face",
    ),
    **dict.fromkeys(
        _words("front of neck; side of neck; nape of neck; nape; supraclavicular region"),
        "neck",
    ),
    **dict.fromkeys(_words("pinna; auricle; external auditory canal"), "ear"),
    **dict.fromkeys(
        _words("frontal scalp; temporal scalp; parietal scalp; occipital scalp; vertex of scalp"),
        "scalp",
    ),
    **dict.fromkeys(
        _words(
            "arm; upper arm; forearm; lower arm; elbow; shoulder; wrist; upper limb; upper extremities; "
            "anterior shoulder; lateral shoulder; posterior shoulder"
        ),
        "upper extremity",
    ),
    **dict.fromkeys(
        _words(
            "leg; thigh; lower leg; calf; shin; knee; ankle; buttock; hip; lower limb; lower extremities; "
            "buttocks; popliteal fossa"
        ),
        "lower extremity",
    ),
    **dict.fromkeys(
        _words("dorsum of hand; finger; fingers and thumb; fingers; thumb; hands"),
        "hand",
    ),
    **dict.fromkeys(_words("dorsum of foot; toe; toes; feet; heel"), "foot"),
    **dict.fromkeys(
        _words("palm; palms; sole; soles; palm of hand; sole of foot; acral nos; nail nos; nail; fingernail; toenail"),
        "acral",
    ),
    **dict.fromkeys(
        _words("genitals; genitalia; genital region; anogenital region; vulva; penis; scrotum; perianal region"),
        "genital",
    ),
}

# Reference: Tschandl et al., Sci Data 2018, Table 1 (what each of the seven holds), and the ISIC Archive's list of diagnoses.
_DIAGNOSES: dict[str, str] = {
    **{code: code for code in CODES},
    **dict.fromkeys(
        _words(
            "ak; actinic keratosis; solar or actinic keratosis; bowen's disease; bowen disease; "
            "intraepithelial carcinoma; squamous cell carcinoma in situ; actinic keratosis / bowen's disease"
        ),
        "akiec",
    ),
    **dict.fromkeys(_words("basal cell carcinoma; baso-squamous carcinoma"), "bcc"),
    **dict.fromkeys(
        _words(
            "benign keratosis; pigmented benign keratosis; seborrheic keratosis; seborrhoeic keratosis; "
            "solar lentigo; lichen planus like keratosis; lichen planus-like keratosis; lichenoid keratosis; "
            "benign keratosis-like lesions; seborrheic keratosis, clonal"
        ),
        "bkl",
    ),
    **dict.fromkeys(_words("dermatofibroma"), "df"),
    **dict.fromkeys(
        _words(
            "melanoma; melanoma in situ; melanoma invasive; melanoma, nos; melanoma nos; malignant melanoma; "
            "melanoma, in situ; melanoma, invasive; malignant melanocytic proliferations (melanoma)"
        ),
        "mel",
    ),
    **dict.fromkeys(
        _words("nevus; naevus; melanocytic nevus; melanocytic nevi; blue nevus; mole; nevus spilus"),
        "nv",
    ),
    **dict.fromkeys(
        _words(
            "vascular lesion; vascular lesions; angioma; cherry angioma; angiokeratoma; pyogenic granuloma; "
            "hemangioma; haemangioma; hemorrhage; haemorrhage; venous lake"
        ),
        "vasc",
    ),
}
# Known, and none of the seven: a metastasis is no primary melanoma, and invasive squamous cell carcinoma is not in HAM10000.
OTHER_DIAGNOSES: frozenset[str] = frozenset(
    _words(
        "scc; squamous cell carcinoma; squamous cell carcinoma, invasive; squamous cell carcinoma, nos; unk; "
        "unknown; keratoacanthoma; melanoma metastasis; merkel cell carcinoma; adnexal tumor; aimp; "
        "cafe-au-lait macule; ephelis; lentigo nos; lentigo simplex; mucosal melanosis; clear cell acanthoma; "
        "atypical spitz tumor; acrochordon; angiofibroma or fibrous papule; neurofibroma; scar; "
        "sebaceous adenoma; epidermal nevus; sebaceous hyperplasia; verruca; atypical melanocytic proliferation; "
        "other"
    )
)
_CONFIRMED_BY = {
    "histopathology": "histo",
    "serial imaging showing no change": "follow_up",
    "single image expert consensus": "consensus",
    "confocal microscopy with consensus dermoscopy": "confocal",
}
_AGE = re.compile(
    r"^(?P<sign>[<>~≥≤]?)\s*(?P<years>-?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?)\s*\+?\s*(?:y|yo|y/o|yr|yrs|years?|years old)?\.?$"
)


def is_missing(word: str) -> bool:
    """Whether a cell says that nothing is known."""
    return word.strip().casefold() in MISSING


def read_sex(word: str) -> str | None:
    """The sex that a word means; "unknown" where it says that it is, None where it cannot be told."""
    return "unknown" if is_missing(word) else _SEXES.get(_spaced(word))


def read_site(word: str) -> str | None:
    """HAM10000's body site that a word means; "unknown" where it says so, None where it cannot be told."""
    if is_missing(word):
        return "unknown"
    word = _spaced(word)
    for side in ("left ", "right "):
        word = word.removeprefix(side)
    return _SITES.get(word) or _SITES.get(word.replace(" / ", "/").replace("/ ", "/").replace(" /", "/"))


def read_age(word: str) -> float | None:
    """Years, NaN where a word says that they are unknown, None where it cannot be told. 45,0 is 45; 85+ is 85."""
    if is_missing(word):
        return math.nan
    age = _AGE.match(word.strip().casefold())
    if not age:
        return None
    return float(age["years"].replace(",", "."))


def read_diagnosis(word: str) -> str | None:
    """One of the seven codes, or None. A subtype may follow a comma: "Nevus, Spitz"."""
    word = _spaced(word)
    return None if is_other_diagnosis(word) else _DIAGNOSES.get(word) or _DIAGNOSES.get(word.split(",")[0].strip())


def is_other_diagnosis(word: str) -> bool:
    """Whether a word names a diagnosis that is none of the seven, or says that it is unknown."""
    return is_missing(word) or _spaced(word) in OTHER_DIAGNOSES


def read_confirmation(word: str) -> str:
    """How a diagnosis was confirmed, in HAM10000's word where there is one."""
    return "unknown" if is_missing(word) else _CONFIRMED_BY.get(_spaced(word), word)


def _spaced(word: str) -> str:
    return " ".join(word.casefold().replace("_", " ").split())
