import numpy as np
import pytest

from core.data.drawn import draw_lesion
from core.trust.measures import drawings
from core.trust.measures import strangers as nd

LESION, MASK = draw_lesion("nv", (224, 224), seed=2)


@pytest.mark.parametrize("name", [n for n in vars(drawings) if n.startswith("draw_")])
def test_every_drawing_is_a_photo_and_repeats(name):
    draw = getattr(drawings, name)
    for seed in range(6):
        photo = draw(np.random.default_rng(seed))
        assert photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3 and min(photo.shape[:2]) >= 200
    assert np.array_equal(photo, draw(np.random.default_rng(5)))


def test_strangers_of_every_drawn_family():
    found = nd.draw_strangers(1)
    assert [s.family for s in found] == list(nd.DRAWN)


def test_package_pictures_need_no_network_and_no_import():
    found = nd.package_strangers(2)
    assert {s.family for s in found} <= set(nd.PACKAGE_PICTURES)
    assert "things" in {s.family for s in found}, "scikit-learn's own pictures are always there"
    assert all(s.photo.dtype == np.uint8 and s.photo.shape[2] == 3 for s in found)


def test_strangers_can_borrow_the_colours_of_skin():
    page = np.zeros((80, 90, 3), "uint8")
    page[::7] = 255
    borrowed = nd.borrow_colours(page, LESION)
    assert borrowed.shape == page.shape
    assert np.abs(borrowed.reshape(-1, 3).mean(axis=0) - LESION.reshape(-1, 3).mean(axis=0)).max() < 25
    plain, mixed = nd.draw_strangers(3), nd.draw_strangers(3, donors=LESION[None])
    changed = [not np.array_equal(a.photo, b.photo) for a, b in zip(plain, mixed, strict=True)]
    assert 0 < sum(changed) < len(changed)


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(nd, "PACKAGE_PICTURES", {"cats": (("no_such_package_at_all", "cat.png"),)})
    assert nd.package_strangers(3) == []


def test_spoilt_photos_come_in_every_way():
    found = nd.degraded_strangers(LESION[None], [MASK])
    assert [s.family for s in found] == list(nd.DEGRADED)
    means = {s.family: s.photo.mean() for s in found}
    assert means["dark"] < 40 < 200 < means["bright"]
    assert "plain skin" not in [s.family for s in nd.degraded_strangers(LESION[None], [None])]


def test_plain_skin_holds_no_lesion():
    piece = nd.cut_plain_skin(LESION, MASK, np.random.default_rng(0))
    assert piece.shape == LESION.shape
    skin = LESION[:20, :20].reshape(-1, 3).mean(axis=0)
    assert np.abs(piece.reshape(-1, 3).mean(axis=0) - skin).max() < 25
    assert nd.cut_plain_skin(LESION, np.ones_like(MASK), np.random.default_rng(0)) is None


def test_another_clinics_photo_still_shows_the_lesion():
    for seed in range(12):
        other = nd.imitate_other_clinic(LESION, np.random.default_rng(seed))
        assert other.shape == LESION.shape and other.dtype == np.uint8
        assert other[100:124, 100:124].mean() < other.mean(), "the dark lesion stays in the middle"
