"""The committed results of experiments as the pages read them: records, whose digits are the files'."""

import json

import pytest

from core.studies.experiments import EXPERIMENTS, FOLDER, InvalidExperiment, points_words, read_experiment


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_committed_number_is_in_a_record(name):
    files = [json.loads(path.read_text()) for path in sorted(FOLDER.glob(EXPERIMENTS[name].files))]
    results = read_experiment(name)
    assert len(results) == len(files)
    for record, result in zip(files, results, strict=True):
        assert [(one.value, one.low, one.high, one.seeds, one.n_photos) for one in result.comparisons] == [
            (entry["value"], entry["low"], entry["high"], entry["seeds"], entry["n_photos"])
            for entry in record["comparisons"]
        ]
        assert all(one.network and points_words(one) for one in result.comparisons)
        if "model" in record:
            assert {one.network for one in result.comparisons} == {record["model"]}


@pytest.mark.parametrize(
    ("change", "words"),
    [({"value": "0.5"}, "expected a number"), ({"seeds": None}, "expected a whole number"), ({"unit": ...}, "unit")],
)
def test_a_damaged_number_names_its_place_and_the_command(tmp_path, change, words):
    record = json.loads((FOLDER / "epsilon.json").read_text())
    changed = record["comparisons"][3] | change
    record["comparisons"][3] = {key: value for key, value in changed.items() if value is not ...}
    (tmp_path / "epsilon.json").write_text(json.dumps(record))
    with pytest.raises(InvalidExperiment, match=rf"comparisons\[3\].*{words}|{words}.*comparisons\[3\]") as error:
        read_experiment("epsilon", tmp_path)
    assert "python -m experiments.epsilon" in str(error.value) and len(str(error.value).splitlines()) == 1
