"""Models that were scored on different photos are compared on those that all were held out from."""

from dataclasses import replace

import pytest
from made_up import write_made_up_model

from core.card import read_card
from core.evaluation.results import read_results
from core.webapp.shared.common_photos import common_photos, on_common_photos, scored_alike
from core.webapp.shared.evaluations import Evaluated


@pytest.fixture
def models(tmp_path):
    """Two models on the same 240 photos; of the second, the first 100 are left out."""
    found = {}
    for name, skill in (("Whole", 2.0), ("Part", 1.0)):
        write_made_up_model(tmp_path, name, skill=skill)
        card = read_card(tmp_path / name)
        found[name] = Evaluated(name, card, read_results(tmp_path / name, card), (str(tmp_path / name),))
    rows = found["Part"].results.table.index.to_numpy() >= 100
    found["Part"] = replace(found["Part"], results=found["Part"].results.only(rows))
    return found


def test_all_are_scored_on_the_common_photos_alone(models):
    assert not scored_alike(models)
    cut = on_common_photos(models)
    assert scored_alike(cut) and common_photos(cut) == common_photos(models)
    for name, model in cut.items():
        results = model.results
        assert len(results.table) == results.evaluation.photos == 140
        accuracy = (results.y_true == results.y_pred).mean()
        assert results.evaluation.metrics["accuracy"].value == pytest.approx(accuracy)
        assert model.key != models[name].key, "what was kept of the whole must not pass for the part"
    assert models["Whole"].results.evaluation.photos == 240


def test_models_without_a_common_photo_do_not_compare(models):
    rows = models["Whole"].results.table.index.to_numpy() < 100
    models["Whole"] = replace(models["Whole"], results=models["Whole"].results.only(rows))
    with pytest.raises(ValueError, match="no held-out photo in common"):
        on_common_photos(models)
