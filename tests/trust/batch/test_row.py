import csv
import io

import numpy as np
import pytest
from PIL import Image

from core.csv_cells import csv_text
from core.data.drawn import SKIN, draw_lesion
from core.data.framing.look import OFF_CENTRE
from core.data.patient import Facts
from core.trust.batch.row import NOT_READ, REFUSED, BatchRow, read_row
from core.trust.batch.table import possible_melanoma, table_rows, tally


@pytest.fixture(scope="module")
def network(measured_bundle_folder):
    from core.bundle import load_bundle
    from core.trust.signals.opinion import read_signals

    bundle = load_bundle(measured_bundle_folder)
    return bundle, read_signals(bundle.folder, bundle.card)


def test_a_row_says_what_a_reading_says(network):
    from core.reading import read_lesion

    photo, facts = draw_lesion("mel", (120, 90))[0], Facts(70, "male", "back")
    row = read_row(*network, photo, "a.jpg", facts, crop="none", force=True)
    reading = read_lesion(network[0], photo, facts, explain=False)
    assert row.probabilities == row.calibrated == reading.probabilities and row.top == reading.top
    assert Image.open(io.BytesIO(row.thumbnail)).size == (112, 84) and row.gate


def test_what_the_gate_refuses_has_no_answer_unless_it_is_forced(network):
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype="uint8")
    row = read_row(*network, noise, "noise.png", Facts(), crop="none")
    assert row.gate == "refuse" and row.probabilities is None and row.top == REFUSED and row.remarks
    assert read_row(*network, noise, "noise.png", Facts(), crop="none", force=True).probabilities


def test_a_small_lesion_is_remarked_and_read_in_its_square_if_asked(network):
    photo = np.empty((300, 400, 3), "uint8")
    photo[:] = SKIN
    photo[20:100, 30:110] = draw_lesion("mel", (80, 80))[0]
    whole, auto = (read_row(*network, photo, "p", Facts(), crop=how, force=True) for how in ("none", "auto"))
    assert not whole.framed and whole.crop is None and OFF_CENTRE in whole.remarks
    assert auto.crop is not None and auto.probabilities != whole.probabilities


def rows() -> list[BatchRow]:
    sure = dict.fromkeys(("akiec", "bcc", "bkl", "df", "nv", "vasc"), 0.05) | {"mel": 0.7}
    calm = sure | {"mel": 0.1, "nv": 0.65}
    return [
        BatchRow("a", Facts(50), gate="ok", probabilities=sure, calibrated=calm, set=("mel", "nv")),
        BatchRow("b", Facts(), gate="refuse", remarks=("No photo.",)),
        BatchRow("=c", Facts(), error="is empty"),
    ]


def test_the_threshold_is_compared_with_what_it_was_chosen_on():
    first, refused, failed = rows()
    assert possible_melanoma(first, 0.5) and possible_melanoma(first, 0.5, calibrated_only=True) is False
    assert possible_melanoma(first, None) is possible_melanoma(refused, 0.5) is possible_melanoma(failed, 0.5) is None
    assert tally(rows(), 0.5) == {"read": 1, "possible melanoma": 1, "refused": 1, "not read": 1}


def test_the_file_has_every_digit_and_names_what_was_not_read():
    import pandas as pd

    text = csv_text(pd.DataFrame(table_rows(rows(), 0.5)))
    first, refused, failed = csv.DictReader(io.StringIO(text))
    assert float(first["mel"]) == 0.7 and first["possible_melanoma"] == "True" and first["set_90"] == "mel nv"
    assert refused["mel"] == "" and refused["gate"] == "refuse"
    assert failed["error"] == "is empty" and not failed["photo"].startswith("="), (
        "no spreadsheet takes it for a formula"
    )
    assert rows()[2].top == NOT_READ
