"""Words that mean the same are read as one; what nobody can read is not guessed."""

import math

import pytest

from core.data.patient import SEXES, SITES
from core.data.tables import vocabulary as words
from core.diagnoses import CODES


@pytest.mark.parametrize(
    "word", ["", "NA", "n/a", "NaN", "None", "NULL", "unknown", "Unknown", " - ", "?", "#N/A", "<NA>"]
)
def test_words_for_nothing_known(word):
    assert words.is_missing(word)
    assert words.read_sex(word) == words.read_site(word) == "unknown"
    assert math.isnan(words.read_age(word))
    assert words.read_diagnosis(word) is None


@pytest.mark.parametrize("word", ["0", "HAM_0000000", "nano", "no", "NV"])
def test_words_that_say_something(word):
    assert not words.is_missing(word)


@pytest.mark.parametrize(
    ("word", "sex"),
    [
        ("M", "male"),
        ("f", "female"),
        ("MALE", "male"),
        (" Female ", "female"),
        ("woman", "female"),
        ("x", None),
        ("1", None),
    ],
)
def test_sexes(word, sex):
    assert words.read_sex(word) == sex


@pytest.mark.parametrize(
    ("word", "site"),
    [
        ("anterior torso", "trunk"),
        ("posterior torso", "back"),
        ("lateral torso", "trunk"),
        ("Upper Extremity", "upper extremity"),
        ("lower_extremity", "lower extremity"),
        ("head/neck", "face"),
        ("head / neck", "face"),
        ("palms/soles", "acral"),
        ("oral/genital", "genital"),
        ("fingernail", "acral"),
        ("Left forearm", "upper extremity"),
        ("SCALP", "scalp"),
        ("elsewhere", None),
    ],
)
def test_body_sites(word, site):
    assert words.read_site(word) == site


def test_mapped_words_are_those_that_networks_know():
    assert {words.read_site(word) for word in words._SITES} == set(SITES)
    assert set(words._SEXES.values()) < set(SEXES)
    assert {words.read_diagnosis(word) for word in words._DIAGNOSES} == set(CODES)
    assert not set(words._DIAGNOSES) & words.OTHER_DIAGNOSES


@pytest.mark.parametrize(
    ("word", "years"),
    [
        ("45", 45),
        ("45.0", 45),
        ("45,5", 45.5),
        ("85+", 85),
        (">85", 85),
        ("45 years", 45),
        ("0", 0),
        ("-5", -5),
        ("old", None),
    ],
)
def test_ages(word, years):
    assert words.read_age(word) == years


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("NV", "nv"),
        ("Nevus, Spitz", "nv"),
        ("Nevus, NOS, Compound", "nv"),
        ("Melanoma in situ, lentigo maligna type", "mel"),
        ("Melanoma metastasis", None),
        ("Solar or actinic keratosis", "akiec"),
        ("Squamous cell carcinoma in situ", "akiec"),
        ("Squamous cell carcinoma, Invasive", None),
        ("SCC", None),
        ("pigmented benign keratosis", "bkl"),
        ("Basal cell carcinoma", "bcc"),
        ("Dermatofibroma, Cellular", "df"),
        ("Pyogenic granuloma", "vasc"),
        ("Nevus sebaceus", None),
        ("melanom", None),
    ],
)
def test_diagnoses(word, code):
    assert words.read_diagnosis(word) == code
