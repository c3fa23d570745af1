"""Parts on the disk go on where they were, and are never taken for those of something else."""

import pytest

pa = pytest.importorskip("pyarrow", reason="needs the extra `scale`")

from core.cluster.parts import Parts  # noqa: E402


def test_what_is_missing_is_what_is_not_there_whole(tmp_path):
    parts = Parts(tmp_path, 10, {"work": "x"}, size=4)
    assert len(parts) == 3 and parts.missing() == [0, 1, 2] and list(parts.span(2)) == [8, 9]
    parts.write(1, pa.table({"row": [4, 5, 6, 7]}))
    (tmp_path / "part-00002.parquet.partial").write_bytes(b"half")
    again = Parts(tmp_path, 10, {"work": "x"}, size=4)
    assert again.missing() == [0, 2]


def test_parts_of_another_list_are_refused_by_what_differs(tmp_path):
    Parts(tmp_path, 10, {"photos": "a", "model": "m"})
    with pytest.raises(ValueError, match=r"parts of something else \(other: model\)"):
        Parts(tmp_path, 10, {"photos": "a", "model": "n"})


def test_parts_without_their_record_are_not_taken_over(tmp_path):
    (tmp_path / "part-00000.parquet").write_bytes(b"whose?")
    with pytest.raises(ValueError, match="no parts.json"):
        Parts(tmp_path, 10, {})


def test_a_damaged_part_is_named(tmp_path):
    parts = Parts(tmp_path, 2, {})
    parts.path(0).write_bytes(b"not a table")
    with pytest.raises(ValueError, match=r"part-00000\.parquet is damaged"):
        list(parts.read())
