import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from made_up import bound

from core.data.drawn import draw_lesion
from core.data.images import read_photo
from core.trust.signals.opinion import form_gate, form_opinion, read_signals


@pytest.fixture(scope="module")
def bundle(measured_bundle_folder):
    from core.bundle import load_bundle

    return load_bundle(measured_bundle_folder)


def test_a_training_photo_gets_every_signal_that_was_measured(bundle, measured_bundle_folder, drawn_folder):
    from core.reading import encode_photo, read_encoded

    signals = read_signals(measured_bundle_folder, bundle.card)
    assert any("--only set" in note for note in signals.notes)
    name = bundle.card.split["train"][0]
    photo = read_photo(next(drawn_folder.glob(f"*/{name}.jpg")))
    encoded = encode_photo(bundle, photo)
    opinion = form_opinion(signals, encoded, read_encoded(encoded))
    assert opinion.looked and opinion.seen.kind == "photo" and opinion.seen.image_id == name
    assert opinion.seen.lesion_id not in {one.lesion_id for one in opinion.lookalikes}, "no look-alike of itself"
    assert opinion.vote.of == signals.records["lookalikes"]["k"]
    assert opinion.gate == form_gate(signals, encoded)
    record = json.loads(json.dumps(opinion.to_json(), allow_nan=False))
    assert {"gate", "set", "seen_before", "lookalikes", "jury", "maps"} <= set(record)
    assert record["set"] is None and record["jury"] is None and record["lookalikes"][0]["dx"]


def test_nothing_measured_is_no_fault(bundle, drawn_bundle_folder):
    from core.reading import encode_photo, read_encoded

    signals = read_signals(drawn_bundle_folder, replace(bundle.card, files={}))
    assert signals.index is None and not signals.records
    assert all("python -m core measure" in note for note in signals.notes)
    encoded = encode_photo(bundle, draw_lesion()[0])
    opinion = form_opinion(signals, encoded, read_encoded(encoded))
    assert opinion.gate is None and opinion.lookalikes is None and not opinion.refused and not opinion.looked
    assert opinion.to_json()["trust_notes"] == list(signals.notes)


def test_stale_files_are_not_used(bundle, measured_bundle_folder, tmp_path):
    folder = shutil.copytree(measured_bundle_folder, tmp_path / "Drawn")
    gate = folder / "gate.json"
    gate.write_text(gate.read_text().replace(bundle.card.weights["sha256"], "0" * 64))
    signals = read_signals(folder, bound(bundle.card, folder))
    assert "gate" not in signals.records and "stale" in signals.faults["gate"]


def half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def exchanged(path):
    path.write_bytes(path.read_bytes() + b" ")


def test_what_was_never_measured_is_known_by_its_name(bundle, tmp_path):
    """Whatever the words of its sentence: the folder's name has "set" and "maps" in it."""
    folder = tmp_path / "dataset of maps"
    folder.mkdir()
    signals = read_signals(folder, replace(bundle.card, files={}))
    assert set(signals.missing) == {"gate", "set", "lookalikes", "maps"} and not signals.faults
    assert all(sentence.endswith(f"--only {name}`.") for name, sentence in signals.missing.items())
    assert signals.notes == tuple(signals.missing.values())


DAMAGES = {"half": half, "lost": lambda path: path.unlink(), "exchanged": exchanged}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", ["gate.json", "lookalikes.npz", "lookalikes.json", "set.json"])
def test_what_is_damaged_is_a_fault_and_a_damaged_gate_lets_nothing_through(
    bundle, measured_bundle_folder, tmp_path, file, damage
):
    from core.reading import encode_photo

    folder = shutil.copytree(measured_bundle_folder, tmp_path / "Drawn")
    if not (folder / file).exists():
        (folder / file).write_text(json.dumps({"weights_sha256": bundle.card.weights["sha256"]}))
    card = bound(bundle.card, folder)
    DAMAGES[damage](folder / file)
    signals = read_signals(folder, card)
    assert list(signals.faults) == [file.split(".")[0]] and "python -m core measure Drawn" in str(signals.faults)
    assert not any(file in note for note in signals.notes), "damaged is not the same as never measured"
    encoded = encode_photo(bundle, np.random.default_rng(0).integers(0, 256, (300, 300, 3), "uint8"))
    opinion = form_opinion(signals, encoded, None)
    assert opinion.to_json()["faults"] == list(signals.faults.values())
    if file in ("gate.json", "lookalikes.npz"):
        assert opinion.gate.verdict == "unusable" and opinion.refused
        json.dumps(opinion.to_json(), allow_nan=False)


def test_a_gate_that_calculates_nonsense_or_has_lost_its_eye_lets_nothing_through(
    bundle, measured_bundle_folder, tmp_path, monkeypatch
):
    from core.reading import encode_photo
    from core.trust.signals import eye

    signals = read_signals(measured_bundle_folder, bundle.card)
    encoded = encode_photo(bundle, draw_lesion()[0])
    for change in ({"intercept": float("nan")}, {"coefficients": np.zeros(3)}, {"thresholds": {}}):
        records = {**signals.records, "gate": signals.records["gate"] | change}
        opinion = form_opinion(replace(signals, records=records), encoded, None)
        assert opinion.gate.verdict == "unusable" and len(opinion.faults) == 1
    monkeypatch.setattr(eye, "eye_file", lambda: tmp_path / "gone")
    opinion = form_opinion(signals, encode_photo(bundle, draw_lesion("nv")[0]), None)
    assert opinion.refused and "Restore it" in opinion.faults[0]
