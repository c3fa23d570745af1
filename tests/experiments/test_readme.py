"""The README's figures are those of the results files."""

import json

import pytest

from experiments import readme
from experiments.comparisons import write_result
from experiments.terminal import RESULTS


def test_the_readme_shows_the_results_as_they_are():
    text = readme.README.read_text(encoding="utf-8")
    assert readme.render(text, readme.read_results(readme.RESULTS)) == text, "Run `python -m experiments.readme`."


def test_a_result_that_is_written_is_in_the_readme_at_once(tmp_path, monkeypatch):
    marks = "\n".join(f"<!-- {name} -->\nold\n<!-- /{name} -->" for name in readme.BLOCKS)
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    monkeypatch.setattr(readme, "RESULTS", tmp_path / "results")
    readme.README.write_text(marks + "\n", encoding="utf-8")
    record = json.loads((RESULTS / "leak.json").read_text(encoding="utf-8"))
    write_result(tmp_path / "elsewhere" / "leak.json", record)
    assert "old" in readme.README.read_text(encoding="utf-8")
    write_result(tmp_path / "results" / "leak.json", record)
    text = readme.README.read_text(encoding="utf-8")
    assert "old" not in text and text.count(readme.NOT_RUN) == len(readme.BLOCKS) - 1


def test_every_block_survives_without_results():
    marks = "\n".join(f"<!-- {name} -->\nold\n<!-- /{name} -->" for name in readme.BLOCKS)
    text = readme.render(marks, {})
    assert text.count(readme.NOT_RUN) == len(readme.BLOCKS) and "old" not in text
    with pytest.raises(ValueError, match="once each"):
        readme.render("", {})


def test_an_interval_that_holds_zero_shows_nothing():
    entry = {
        "value": 0.02,
        "low": -0.01,
        "high": 0.05,
        "seed_low": 0.01,
        "seed_high": 0.03,
        "seeds": 2,
        "unit": "difference",
    }
    assert readme.verdict(entry) == "not shown"
    assert readme.points(entry) == "+2.0 (-1.0 to +5.0)"
    assert readme.verdict(entry | {"low": 0.005}) == "**better**"
    assert readme.verdict(entry | {"low": 0.005, "seed_low": -0.01}) == "better, not by every seed"
    assert readme.verdict(entry | {"low": 0.005, "seeds": 1}) == "better, one seed only"
    assert (
        readme.verdict(entry | {"value": -0.02, "high": -0.01, "seed_low": -0.03, "seed_high": -0.001}) == "**worse**"
    )
