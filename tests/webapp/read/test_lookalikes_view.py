import pytest
from streamlit.testing.v1 import AppTest

from core.estimates import Estimate
from core.trust.signals.lookalikes import LookalikeVote
from core.webapp.read.lookalikes import vote_worth

RECORD = {
    "test": {
        "wrong_by_agreement": [
            {"from": 1.0, "value": 0.02},
            {"from": 0.75, "value": 0.1},
            {"from": 0.5, "value": 0.3},
            {"from": 0.0, "value": None},
        ],
        "network_wrong": {"same": Estimate(0.05), "other": Estimate(0.4)},
    }
}

# On a busy machine even an empty page takes long.
TIMEOUT = 200  # seconds


def page(count: int = 4) -> None:
    from core.trust.signals.lookalikes import Lookalike, LookalikeVote
    from core.trust.signals.seen_before import SeenBefore
    from core.webapp.read.lookalikes import draw_lookalikes, draw_seen

    one = Lookalike("ISIC_0000001", "HAM_0000001", "mel", "histo", None, "unknown", "back", "rosendahl", 0.913)
    draw_seen(SeenBefore("photo", "ISIC_0000001", "HAM_0000001", 3, 0.99) if count else None)
    draw_lookalikes((one,) * count if count else None, LookalikeVote("mel", 4, 5), None, "nv")


def test_lookalikes_show_diagnosis_facts_and_a_link_without_photos(monkeypatch):
    monkeypatch.delenv("HAM10000_DIR", raising=False)
    app = AppTest.from_function(page, default_timeout=TIMEOUT).run()
    assert not app.exception and not app.image
    said = "\n".join(e.value for e in (*app.markdown, *app.caption))
    assert "4 of the 5 nearest training lesions: Melanoma." in said
    assert "confirmed by histology · age unknown · back · likeness 0.91" in said
    assert said.count("isic-archive") == 4 and "trained on this photo" in app.warning[0].value


def test_a_photo_is_shown_where_the_folder_has_it(monkeypatch, drawn_folder, tmp_path):
    import shutil

    folder = shutil.copytree(drawn_folder, tmp_path / "ham10000")
    photo = next(folder.glob("*/ISIC_9000000.jpg"))
    metadata = folder / "HAM10000_metadata.csv"
    metadata.write_text(metadata.read_text().replace("ISIC_9000000", "ISIC_0000001"))
    photo.rename(photo.with_stem("ISIC_0000001"))
    monkeypatch.setenv("HAM10000_DIR", str(folder))
    app = AppTest.from_function(page, default_timeout=TIMEOUT, args=(1,)).run()
    assert not app.exception and len(app.image) == 1


def test_no_index_draws_nothing():
    app = AppTest.from_function(page, default_timeout=TIMEOUT, args=(0,)).run()
    assert not app.exception and not app.markdown and not app.warning


@pytest.mark.parametrize(
    ("count", "top", "said"),
    [
        (5, None, "wrong in 2 %"),
        (4, "mel", "says the same; it was wrong in 5 %"),
        (3, "nv", "where the two differ it was wrong in 40 %"),
    ],
)
def test_the_vote_is_told_with_its_worth(count, top, said):
    vote = LookalikeVote("mel", count, 5)
    assert said in vote_worth(vote, RECORD, top) and f"{count} of the 5" in vote.words


def test_what_was_not_measured_is_not_told():
    assert vote_worth(LookalikeVote("mel", 2, 5), RECORD) == "" and vote_worth(LookalikeVote("mel", 2, 5), None) == ""
