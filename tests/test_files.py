"""Files appear whole or not at all, whoever else writes them and whenever a writer is stopped."""

import ast
import errno
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core import files
from core.files import (
    CannotWrite,
    check_folder_takes,
    clear_cache,
    clear_leftovers,
    finish_writing,
    folder_written_whole,
    reserve,
    write_text,
    write_together,
    written_whole,
)
from core.folders import cache_root, weights_root


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_two_writers_of_one_file_tear_nothing_and_lose_nothing(tmp_path):
    path, wrong = tmp_path / "file.json", []
    write_text(path, json.dumps([0] * 2000))
    done = threading.Event()

    def write(number):
        for _ in range(60):
            write_text(path, json.dumps([number] * 2000))

    def read():
        while not done.is_set():
            found = json.loads(path.read_text())
            if len(found) != 2000 or len(set(found)) != 1:
                wrong.append(found)

    writers = [threading.Thread(target=write, args=(n,)) for n in (1, 2)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert not wrong and names(tmp_path) == ["file.json"]


# Where a file is written by other means than `core.files`, and why nothing half-written can stay.
WRITES_ITSELF = {
    "archive/unpack.py": "within folder_written_whole",
    "cli/terminal.py": "standard error and /dev/null",
    "cluster/parts.py": "within written_whole",
    "data/drawn.py": "drawn photos, for tests",
    "data/image_cache.py": "within written_whole",
    "files.py": "these are they",
    "serving/formats.py": "within folder_written_whole",
    "serving/keras_weights.py": "within written_whole, after the disk has shown room",
    "webapp/reports/parts.py": "memory, for a download",
    "webapp/teach/sets/make.py": "a temporary folder",
    "archive/web.py": "a part that is named so, and goes on where it was cut",
}
WRITERS = ("write_bytes", "write_text", "savefig", "to_parquet", "write_table", "tofile", "open_memmap")


def writes(call: ast.Call) -> bool:
    """Whether a call writes a file by itself."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "open":
        given = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
        modes = [node.value for node in ast.walk(ast.Tuple(given)) if isinstance(node, ast.Constant)]
        return any(isinstance(mode, str) and re.fullmatch(r"[rbt+]*[wax][rbt+]*", mode) for mode in modes)
    if name == "to_csv":
        return bool(call.args)
    if name == "save_weights":
        return isinstance(call.func, ast.Attribute)
    return isinstance(call.func, ast.Attribute) and name in WRITERS


def test_every_writer_is_one_that_leaves_nothing_half_written():
    root = Path(files.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(isinstance(node, ast.Call) and writes(node) for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    }
    assert found == set(WRITES_ITSELF), "Write through core.files, or say here why that is not needed."


def test_an_error_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "a", "old")
    file, folder = written_whole(tmp_path / "a"), folder_written_whole(tmp_path / "folder")
    file.__enter__().write_text("ne")
    (folder.__enter__() / "b").write_text("ne")
    for writer in (file, folder):
        assert not writer.__exit__(RuntimeError, RuntimeError(), None)
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "old"


KILLED = """
import os, sys
from pathlib import Path
from core import files
real, left = Path.replace, [int(sys.argv[2])]
def replace(self, target):
    if not left[0]:
        os._exit(9)
    left[0] -= 1
    return real(self, target)
Path.replace = replace
files.write_together(sys.argv[1], {"a": "new", "b": "new", "below/c": "new"})
"""


@pytest.mark.parametrize("moves", range(3))
def test_a_set_that_was_being_moved_when_its_writer_was_killed_is_finished_by_the_next_reader(tmp_path, moves):
    write_together(tmp_path, {"a": "old", "b": "old", "below/c": "old"})
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(moves)], cwd=Path(__file__).parents[1], timeout=60
    )
    assert done.returncode == 9
    finish_writing(tmp_path)
    assert [(tmp_path / n).read_text() for n in ("a", "b", "below/c")] == ["new"] * 3
    assert names(tmp_path) == ["a", "b", "below"]


def test_a_set_that_cannot_be_written_whole_leaves_the_old_one(tmp_path):
    write_together(tmp_path, {"a": "old", "b": "old"})
    with pytest.raises(TypeError):
        write_together(tmp_path, {"a": "new", "b": object()})
    assert (tmp_path / "a").read_text() == "old" and names(tmp_path) == ["a", "b"]


def test_what_dead_runs_left_is_removed_and_what_living_ones_write_is_not(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    dead = tmp_path / f".images.npy.{files._machine()}-{child.pid}-0123abcd.partial"
    elsewhere = tmp_path / f".images.npy.ffffffff-{child.pid}-0123abcd.partial"
    own = tmp_path / files._scratch_name("card.json")
    old_name, folder = tmp_path / "card.json.partial", tmp_path / "partial-epoch-003"
    for path in (dead, elsewhere, own, old_name, tmp_path / "card.json"):
        path.write_text("x")
    folder.mkdir()
    assert clear_leftovers(tmp_path) == [dead]
    later = clear_leftovers(tmp_path, now=time.time() + 2 * files.LEFT_ALONE)
    assert {elsewhere, own, old_name, folder} == set(later) and names(tmp_path) == ["card.json"]


def test_arrays_that_nobody_uses_leave_the_cache(tmp_path):
    for name, age in (("images-old.npy", files.UNUSED + 9), ("images-new.npy", 9), ("notes.txt", files.UNUSED + 9)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    clear_cache(tmp_path)
    assert names(tmp_path) == ["images-new.npy", "notes.txt"]


def test_a_folder_is_tried_before_the_work_and_not_left_behind(tmp_path):
    check_folder_takes(tmp_path / "new" / "deep")
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match="cannot be written"):
        check_folder_takes(tmp_path / "file" / "below")
    if os.path.isdir("/proc/self"):
        with pytest.raises(CannotWrite, match="choose another"):
            check_folder_takes("/proc/self/here")


def test_a_full_disk_is_one_sentence_before_anything_is_written(tmp_path, monkeypatch):
    from core.data.image_cache import new_array

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(CannotWrite, match="images.npy needs 1,505 MB.*are free.*MELASCOPE_CACHE"):
        new_array(tmp_path / "images.npy", "uint8", (10_000, 224, 224, 3))


@pytest.mark.parametrize("system", [True, False])
def test_room_is_reserved_and_the_array_is_one(tmp_path, monkeypatch, system):
    import numpy as np

    from core.data.image_cache import new_array

    if not system:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    array = new_array(tmp_path / "a.npy", "uint8", (3, 4, 5))
    array[2] = 7
    array.flush()
    found = np.load(tmp_path / "a.npy")
    assert found.shape == (3, 4, 5) and found[2].min() == 7 and not found[:2].any()
    with open(tmp_path / "b", "wb") as file:
        file.write(b"head")
        reserve(file, 3_000_000, tmp_path / "b")
    assert (tmp_path / "b").stat().st_size == 3_000_000 and (tmp_path / "b").read_bytes()[:4] == b"head"


def test_without_a_home_the_variable_is_named(monkeypatch):
    def none():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("MELASCOPE_CACHE")
    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(CannotWrite, match="MELASCOPE_CACHE=/some/folder"):
        cache_root()
    monkeypatch.setenv("MELASCOPE_CACHE", "/elsewhere")
    monkeypatch.setenv("MELASCOPE_WEIGHTS", "/models")
    assert cache_root() == Path("/elsewhere") and weights_root() == Path("/models")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_that_hdf5_tells_is_one_sentence_and_other_faults_stay_what_they_are(tmp_path):
    said = "Disable slist on flush dest failure failed (file write failed: time = Thu\n, errno = 28, error message = 'No space left')"
    write_text(tmp_path / "a.h5", "old")
    for writer in (written_whole(tmp_path / "a.h5"), folder_written_whole(tmp_path / "folder")):
        with pytest.raises(CannotWrite, match="is full"), writer:
            raise RuntimeError(said)
    with pytest.raises(RuntimeError, match="another fault"), written_whole(tmp_path / "a.h5"):
        raise RuntimeError("another fault")
    assert names(tmp_path) == ["a.h5"] and (tmp_path / "a.h5").read_text() == "old"


def test_lines_on_a_full_disk_are_one_sentence(tmp_path):
    with files.open_lines("/dev/full") as file, pytest.raises(CannotWrite, match="The disk of /dev is full"):
        files.write_line(file, "{}")
    with files.open_lines(tmp_path / "a") as file:
        files.write_line(file, "ä")
        assert (tmp_path / "a").read_bytes() == "ä\n".encode(), "it is there at once"
    with pytest.raises(CannotWrite, match="cannot be written"):
        files.open_lines(tmp_path / "none" / "a")


def test_a_home_folders_sign_is_followed_where_no_shell_has(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for named, folder in (
        ("~/models", tmp_path / "models"),
        ("~nobody-of-this-name/x", Path("~nobody-of-this-name/x")),
        (".", Path()),
    ):
        for variable, root in (("MELASCOPE_WEIGHTS", weights_root), ("MELASCOPE_CACHE", cache_root)):
            monkeypatch.setenv(variable, named)
            assert root() == folder
    monkeypatch.setenv("MELASCOPE_WEIGHTS", " ")
    assert weights_root().name == "weights"


FORMULAS = ('=HYPERLINK("http://a","b")', "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1")


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell):
    import io

    import pandas as pd

    from core.csv_cells import csv_text, uncovered

    table = pd.DataFrame({cell: [cell, "plain"], "number": [-1.5, 2], "text": ["-1.5", "a=b"], "none": [None, "x"]})
    back = pd.read_csv(io.StringIO(csv_text(table), newline=""), dtype=str, keep_default_na=False)
    assert back.columns[0].startswith("'") and back.iloc[0, 0] == f"'{cell}".replace("\r", "\n")
    assert uncovered(back.iloc[0, 0]) == cell.replace("\r", "\n")
    assert back.number.tolist() == ["-1.5", "2.0"] and back.text.tolist() == ["-1.5", "a=b"], "numbers stay numbers"
    assert table.iloc[0, 0] == cell, "the table itself is left alone"


def test_every_table_is_written_by_what_makes_formulas_text():
    """What else calls pandas' or Python's writer of CSV: the writer itself, digests, drawn data, a training's own numbers."""
    ours = {"csv_cells.py", "teaching/tables.py"}
    no_text_from_outside = {"cluster/sweep.py", "data/drawn.py", "training/state.py", "data/tables/table_file.py"}
    root = Path(files.__file__).parent
    calls = re.compile(r"\.to_csv\(|csv\.(?:Dict)?[wW]riter\(")
    writing = {
        path.relative_to(root).as_posix() for path in root.rglob("*.py") if calls.search(path.read_text(encoding="utf-8"))
    }
    assert writing == ours | no_text_from_outside


def test_a_home_that_cannot_be_written_names_the_variable(tmp_path):
    (tmp_path / "home").write_text("no folder")
    with pytest.raises(CannotWrite, match="cannot be written.*MELASCOPE_CACHE=/some/folder"):
        files.make_cache_folder(tmp_path / "home" / ".cache")
