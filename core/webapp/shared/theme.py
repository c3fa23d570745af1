"""One colour and one pattern for each diagnosis, the same in every chart, on light and dark ground."""

from core.diagnoses import DIAGNOSES

# Okabe and Ito's palette, told apart with every common colour blindness: warm colours are malignant, cool ones benign.
# Reference: M. Okabe, K. Ito, "Color universal design", 2008.
COLORS: dict[str, str] = {
    "akiec": "#e69f00",
    "bcc": "#cc79a7",
    "mel": "#d55e00",
    "bkl": "#56b4e9",
    "df": "#009e73",
    "nv": "#0072b2",
    "vasc": "#8c96a0",
}
# The two groups of a report's bars.
MALIGNANT_COLOR, BENIGN_COLOR = "#c2560b", "#0072b2"
# The same grouping without colour: malignant bars are hatched.
PATTERNS: dict[str, str] = {d.code: "/" if d.malignant else "" for d in DIAGNOSES}
GROUPS: dict[str, str] = {d.code: "malignant" if d.malignant else "benign" for d in DIAGNOSES}
# Pre-malignant on its own: actinic keratosis is treated, but is no cancer yet.
GROUPS["akiec"] = "pre-malignant or malignant"
# Short names for narrow columns.
SHORT_NAMES: dict[str, str] = {
    "akiec": "Act. keratosis",
    "bcc": "Basal cell ca.",
    "bkl": "Ben. keratosis",
    "df": "Dermatofibr.",
    "mel": "Melanoma",
    "nv": "Nevus",
    "vasc": "Vascular",
}
