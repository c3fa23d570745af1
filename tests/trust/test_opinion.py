import json
import shutil

import pytest

from core.data.drawn import draw_lesion
from core.data.images import read_photo
from core.trust.opinion import form_gate, form_opinion, read_signals


@pytest.fixture(scope="module")
def bundle(measured_bundle_folder):
    from core.bundle import load_bundle

    return load_bundle(measured_bundle_folder)


def test_a_training_photo_gets_every_signal_that_was_measured(bundle, measured_bundle_folder, drawn_folder):
    from core.reading import encode_photo, read_lesion

    signals = read_signals(measured_bundle_folder, bundle.card)
    assert any("--only set" in note for note in signals.notes)
    name = bundle.card.split["train"][0]
    photo = read_photo(next(drawn_folder.glob(f"*/{name}.jpg")))
    encoded = encode_photo(bundle, photo)
    opinion = form_opinion(signals, bundle, encoded, read_lesion(bundle, None, encoded=encoded))
    assert opinion.looked and opinion.seen.kind == "photo" and opinion.seen.image_id == name
    assert opinion.lookalikes[0].image_id == name and opinion.vote.of == signals.records["lookalikes"]["k"]
    assert opinion.gate == form_gate(signals, encoded)
    record = json.loads(json.dumps(opinion.to_json(), allow_nan=False))
    assert {"gate", "set", "seen_before", "lookalikes", "jury", "maps"} <= set(record)
    assert record["set"] is None and record["jury"] is None and record["lookalikes"][0]["dx"]


def test_nothing_measured_is_no_fault(bundle, drawn_bundle_folder):
    from core.reading import encode_photo, read_lesion

    signals = read_signals(drawn_bundle_folder, bundle.card)
    assert signals.index is None and not signals.records
    assert all("python -m core measure" in note for note in signals.notes)
    encoded = encode_photo(bundle, draw_lesion()[0])
    opinion = form_opinion(signals, bundle, encoded, read_lesion(bundle, None, encoded=encoded))
    assert opinion.gate is None and opinion.lookalikes is None and not opinion.refused and not opinion.looked
    assert opinion.to_json()["trust_notes"] == list(signals.notes)


def test_stale_files_are_not_used(bundle, measured_bundle_folder, tmp_path):
    folder = shutil.copytree(measured_bundle_folder, tmp_path / "Drawn")
    gate = folder / "gate.json"
    gate.write_text(gate.read_text().replace(bundle.card.weights["sha256"], "0" * 64))
    (folder / "lookalikes.npz").write_bytes(b"")
    signals = read_signals(folder, bundle.card)
    assert "gate" not in signals.records and signals.index is None
    assert any("stale" in note for note in signals.notes)
