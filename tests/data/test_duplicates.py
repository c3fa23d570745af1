"""Near-duplicates under different lesion ids are found, whichever way up; lesions that merely look alike are not."""

import cv2
import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.drawn import draw_lesion
from core.data.duplicates import BITS, linked_lesions, near_duplicates, perceptual_hashes, turned_hashes
from core.data.images import fit_image


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Twelve drawn lesions, then versions of the first four: brighter and smaller, turned, mirrored, re-encoded."""
    drawn = [fit_image(draw_lesion("nv" if i % 2 else "mel", seed=i)[0], 96).astype("uint8") for i in range(12)]
    small = cv2.resize(cv2.resize(drawn[0], (60, 60), interpolation=cv2.INTER_AREA), (96, 96))
    brighter = np.clip(small * 1.15, 0, 255).astype("uint8")
    encoded = cv2.imdecode(cv2.imencode(".jpg", drawn[3], [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    return np.stack([*drawn, brighter, np.rot90(drawn[1]), drawn[2][:, ::-1], encoded])


def test_versions_of_a_photo_under_another_lesion_id_are_found(images):
    pairs = near_duplicates(images, np.arange(len(images)))
    assert {(0, 12), (1, 13), (2, 14), (3, 15)} == set(zip(pairs["first"], pairs["second"], strict=True))
    assert pairs["bits"].is_monotonic_increasing


def test_photos_of_one_lesion_are_no_duplicates_across_lesions(images):
    lesions = np.array([*range(12), 0, 1, 2, 3])
    assert near_duplicates(images, lesions).empty


def test_a_hash_has_256_bits_and_follows_a_turn(images):
    hashes = perceptual_hashes(images[:2])
    assert hashes.shape == (2, BITS)
    assert (hashes[1] == perceptual_hashes(np.rot90(images[1:2], -1, axes=(1, 2)), turn=1)[0]).all()


def test_the_hash_is_imagehashs(images):
    for image in images:
        ours = perceptual_hashes(image[None])[0]
        # Of a picture that both take as it is, every bit; else the ways to shrink it differ by a few.
        grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
        small = np.repeat(grey[..., None], 3, axis=2)
        theirs = imagehash.phash(Image.fromarray(small), hash_size=16).hash.ravel()
        assert (perceptual_hashes(small[None])[0] == theirs).all()
        assert (ours != imagehash.phash(Image.fromarray(image), hash_size=16).hash.ravel()).sum() <= 12


def test_one_transform_gives_the_hashes_of_all_eight_positions(images):
    for image in images:
        whole = np.concatenate([perceptual_hashes(image[None], turn) for turn in range(8)])
        # Rounding may turn a coefficient that is the median.
        assert (turned_hashes(image) != whole).sum(axis=1).max() <= 2


def test_links_make_groups_of_lesions():
    table = pd.DataFrame({"lesion_id": ["a", "b", "c", "d", "e"]})
    pairs = pd.DataFrame({"first": [0, 1, 3], "second": [1, 2, 4]})
    assert linked_lesions(table, pairs) == (("a", "b", "c"), ("d", "e"))
    assert linked_lesions(table, pairs.iloc[:0]) == ()


def test_the_real_duplicate_is_found(ham10000):
    from core.data.ham10000 import read_table
    from core.data.images import read_photo

    table = read_table(ham10000).set_index("image_id")
    names = ["ISIC_0030074", "ISIC_0025226", "ISIC_0031555", "ISIC_0025568", "ISIC_0030070", "ISIC_0024642"]
    rows = table.loc[names]
    photos = np.stack([fit_image(read_photo(path), 224).astype("uint8") for path in rows.path])
    pairs = near_duplicates(photos, rows.lesion_id)
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == [(0, 1)]
