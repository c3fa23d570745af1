"""Folders, lists and addresses give the same rows, in the same order."""

import pandas as pd
import pytest

fsspec = pytest.importorskip("fsspec", reason="needs the extra `scale`")
pytest.importorskip("pyarrow", reason="needs the extra `scale`")

from core.cluster.photo_rows import PhotoRow, digest_of_rows, fetch, list_rows  # noqa: E402


def test_a_folder_gives_its_photos_and_nothing_else(drawn_photos, tmp_path):
    for photo in drawn_photos[:2]:
        (tmp_path / photo.name).write_bytes(photo.read_bytes())
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / ".hidden.jpg").write_bytes(drawn_photos[0].read_bytes())
    assert [row.photo for row in list_rows([str(tmp_path)])] == [str(tmp_path / p.name) for p in drawn_photos[:2]]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_list_brings_facts_and_paths_beside_it(kind, tmp_path):
    table = pd.DataFrame(
        {
            "Image": ["a.jpg", "s3://bucket/b.jpg"],
            "age": [55, None],
            "sex": ["female", None],
            "localization": ["back", ""],
        }
    )
    path = tmp_path / f"list.{kind}"
    getattr(table, f"to_{kind}")(path, index=False)
    assert list_rows([str(path)]) == [
        PhotoRow(str(tmp_path / "a.jpg"), "55.0", "female", "back"),
        PhotoRow("s3://bucket/b.jpg"),
    ]


def test_an_address_is_listed_and_fetched(drawn_photos):
    memory = fsspec.filesystem("memory")
    memory.pipe({"/clinic/b.jpg": drawn_photos[1].read_bytes(), "/clinic/a.jpg": drawn_photos[0].read_bytes()})
    rows = list_rows(["memory://clinic"])
    assert [row.photo for row in rows] == ["memory:///clinic/a.jpg", "memory:///clinic/b.jpg"]
    assert fetch(rows[0].photo) == drawn_photos[0].read_bytes()
    memory.pipe("/clinic/list.csv", b"photo,age\na.jpg,40\n")
    (row,) = list_rows(["memory://clinic/list.csv"])
    assert (fetch(row.photo), row.age) == (drawn_photos[0].read_bytes(), "40")


@pytest.mark.parametrize(
    "content, words",
    [
        ("file_name,age\na,1\n", "no column of photos: it has file_name, age"),
        ("photo\n", "holds no photos"),
        ("photo,age\n,3\n", "row 1, names"),
    ],
)
def test_a_list_that_names_no_photos_is_refused(content, words, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=words):
        list_rows([str(path)])


def test_an_unknown_scheme_is_a_sentence():
    with pytest.raises(ValueError, match="Expected an address that fsspec knows"):
        list_rows(["nowhere://folder"])


def test_a_digest_tells_order_and_facts():
    rows = [PhotoRow("a"), PhotoRow("b")]
    assert digest_of_rows(rows) != digest_of_rows(rows[::-1]) != digest_of_rows([PhotoRow("a", "5"), PhotoRow("b")])
