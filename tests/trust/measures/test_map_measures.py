"""Do the maps mean anything: each question by hand, the rules of the verdict, and a measurement of a drawn network."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import bound
from made_up_maps import made_up_maps

from core.estimates.in_files import from_text
from core.explain import EXPLAINERS
from core.trust.measures import maps as map_measures
from core.trust.measures.map_places import (
    STEPS,
    cell_order,
    hits,
    inside_share,
    mask_cover,
    step_counts,
    step_pictures,
    under,
)
from core.trust.measures.map_summary import CHECKS, SAME, summarise

RNG = np.random.default_rng(0)


def test_cover_of_the_square_that_the_network_sees():
    mask = np.zeros((4, 6), bool)
    mask[:2, 1:3] = True  # the square's top left quarter
    mask[:, 0] = True  # outside the square
    np.testing.assert_allclose(mask_cover(mask, (2, 2)), [[1, 0], [0, 0]])
    np.testing.assert_allclose(mask_cover(mask, (1, 1)), [[0.25]])
    # Three cells on four pixels: the second takes half of pixels 1 and 2... weights add up to 1 in each cell.
    assert mask_cover(np.ones((4, 4), bool), (3, 3)) == pytest.approx(np.ones((3, 3)))


def test_inside_and_pointing_by_hand():
    cover = np.array([[1.0, 0.5], [0.0, 0.0]])
    assert inside_share(np.array([[2.0, 1.0], [1.0, 0.0]]), cover) == pytest.approx(2.5 / 4)
    assert hits(np.array([[0.0, 1.0], [0.0, 0.0]]), cover) == 1 and hits(np.array([[0.0, 0.0], [1.0, 0.0]]), cover) == 0
    assert np.isnan(inside_share(np.zeros((2, 2)), cover)) and np.isnan(hits(np.zeros((2, 2)), cover))


def test_cells_are_taken_in_order_and_put_back():
    heatmap = np.array([[0.1, 0.9], [0.5, 0.0]])
    order = cell_order(heatmap, RNG)
    assert order.tolist() == [1, 2, 0, 3]
    image = np.zeros((4, 4, 3), "float32")
    image[:2, 2:] = 200  # the strongest cell
    pictures = step_pictures(image, order, (2, 2))
    assert pictures.shape == (2 * (STEPS - 1), 4, 4, 3)
    first = int(np.argmax(step_counts(4) == 1)) - 1
    taken, put_back = pictures[first], pictures[STEPS - 1 + first]
    assert (taken[:2, 2:] == 50).all() and (taken[2:] == 0).all()
    assert (put_back[:2, 2:] == 200).all() and (put_back[2:] == 50).all()


def test_equal_cells_come_in_random_order():
    orders = {tuple(cell_order(np.zeros((2, 2)), RNG)) for _ in range(50)}
    assert len(orders) > 5


def test_area_under_a_curve():
    assert under(np.array([[1.0, 1.0, 1.0], [0.0, 0.5, 1.0]])).tolist() == [1.0, 0.5]
    assert step_counts(49).tolist() == [0, 7, 14, 21, 28, 35, 42, 49]


def test_good_maps_pass_every_check():
    record = summarise(*made_up_maps(), "Made up")
    for method, explainer in EXPLAINERS.items():
        found = record["methods"][method]
        assert found["verdict"]["passes"] and set(found["checks"]) == set(CHECKS)
        assert found["verdict"]["said"].startswith(f"{explainer.title} of Made up passes: 5 of 5")
        assert found["pointing"].high == 1 and found["pointing"].low < 1, "a share of 1 keeps an interval"


def test_useless_maps_fail_each():
    found = summarise(*made_up_maps(good=False), "Made up")["methods"]["grad-cam"]
    assert not found["verdict"]["passes"] and found["verdict"]["passed"] == 0
    assert found["similarity_head"].high > SAME > found["similarity_all"].high, "the worse of the two counts"
    assert "rank correlation with the true map 0.95" in found["verdict"]["said"]


def test_without_masks_three_checks_remain():
    record = summarise(*made_up_maps(masks=False), "Made up")
    assert record["masks"] == 0 and set(record["methods"]["grad-cam"]["checks"]) == {"deletion", "insertion", "weights"}


def test_errors_by_agreement():
    agreement = summarise(*made_up_maps(), "Made up")["agreement"]
    assert [row["errors"].value for row in agreement["quartiles"]] == [1, 0, 0, 0]
    assert agreement["gap"].value == 1 and "more often" in agreement["said"]
    assert all(row["errors"].photos == 20 for row in agreement["quartiles"])


@pytest.fixture(scope="module")
def measured(tmp_path_factory, drawn_folder, drawn_bundle_folder):
    """A drawn network whose maps were measured on a drawn test part, and its weights from before."""
    from core.bundle import load_bundle
    from core.data.ham10000 import read_table

    folder = shutil.copytree(drawn_bundle_folder, tmp_path_factory.mktemp("maps") / "Drawn")
    bundle = load_bundle(folder)
    ids = read_table(drawn_folder).image_id.tolist()[:12]
    bundle = replace(bundle, card=replace(bundle.card, split={**bundle.card.split, "test": ids}))
    before = [w.copy() for part in bundle.engine.weights() for w in part]
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SAMPLE", 4), ("SHUFFLED_SAMPLE", 3), ("SHUFFLES", 1)):
            patch.setattr(map_measures, name, value)
        map_measures.measure_maps(bundle, drawn_folder, lambda done, total: steps.append((done, total)))
    return bundle, before, steps


def test_the_files_hold_every_test_photo_and_every_method(measured):
    from core.trust.measure_table import read_measure

    bundle, before, steps = measured
    record, table = (
        read_measure("maps", bundle.folder, bound(bundle.card, bundle.folder)),
        map_measures.read_maps_table(bundle.folder),
    )
    assert table.image_id.tolist() == list(bundle.card.split["test"]) and record["photos"] == record["masks"] == 12
    assert set(record["methods"]) == set(EXPLAINERS)
    assert steps[-1][0] == steps[-1][1] and steps == sorted(steps)
    for old, new in zip(before, [w for part in bundle.engine.weights() for w in part], strict=True):
        np.testing.assert_array_equal(old, new)  # shuffled weights were put back


def test_the_figures_can_be_made_again_from_the_table(measured):
    bundle, *_ = measured
    record = from_text((bundle.folder / "maps.json").read_text())
    again = summarise(map_measures.read_maps_table(bundle.folder), {}, bundle.name)
    assert again["agreement"] == record["agreement"] and again["methods"] == record["methods"]
    for kind, orders in record["curves"].items():
        for order, curve in orders.items():
            mean = map_measures.read_maps_table(bundle.folder)[f"{order} {kind}"].mean()
            assert under(np.array(curve["value"])) == pytest.approx(mean, abs=1e-5)


def test_the_maps_are_those_of_a_reading(measured, drawn_folder):
    from core.data.ham10000 import read_table
    from core.data.images import read_photo
    from core.data.patient import Facts
    from core.reading import read_lesion

    bundle, *_ = measured
    row = read_table(drawn_folder).iloc[0]
    facts = Facts(
        None if np.isnan(row.age) else row.age, *(None if v == "unknown" else v for v in (row.sex, row.localization))
    )
    reading = read_lesion(bundle, read_photo(row.path), facts)
    found = map_measures.read_maps_table(bundle.folder).iloc[0]
    assert found.predicted == reading.top
    expected = map_measures.map_agreement(reading.attention, reading.heatmap)
    assert found.agreement == pytest.approx(expected, abs=1e-3, nan_ok=True)


def test_another_photo_is_of_another_lesion():
    lesions = pd.Series([f"L{k // 3}" for k in range(30)])
    other = map_measures._other_photo(lesions)
    assert (lesions.to_numpy()[other] != lesions.to_numpy()).all()
