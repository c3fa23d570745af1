"""Files that appear whole or not at all.

Every writer of the package goes through `written_whole`: a name of its own beside the target, so that two writers never share a file;
the bytes forced to the disk; then one rename. Several files that belong together go through `write_together`.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from core.folders import CACHE_VARIABLE, CannotWrite, as_disk_fault, temporary_fault

# A scratch file whose writer cannot be asked (it ran on another machine, or is of an older version) is left alone for so long.
LEFT_ALONE = 24 * 3600  # seconds
# Arrays in the cache that no run has used for so long are of folders, sizes or weights that nobody trains any more.
UNUSED = 60 * 24 * 3600  # seconds
# A whole set of files that waits to be moved into place; see `write_together`.
_READY = ".together.ready"
_ZEROS = bytes(1 << 20)
# `.NAME.MACHINE-PROCESS-RANDOM.partial`, then perhaps the suffix that a library insists on.
_SCRATCH = re.compile(r"^\.(?P<name>.+)\.(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.partial(\.\w+)*$")
# Names that earlier versions gave to unfinished files.
_OLD_SCRATCH = re.compile(r"^(\.partial-.+|\.full-.+|.+\.partial(\.npy)?|partial-epoch-\d+|\.\d+\.lookalikes\.npz)$")


# ---- one file ----


@contextlib.contextmanager
def written_at(target: str | Path, size: int | None = None) -> Iterator[None]:
    """Makes a disk's fault, such as a full one or a folder that takes nothing, a `CannotWrite` about `target`; HDF5's faults, too.

    Args:
        size: bytes that `target` needs, where that is known.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        if fault := as_disk_fault(error):
            raise _cannot_write(fault, Path(target), size) from error
        raise


@contextlib.contextmanager
def written_whole(target: str | Path, suffix: str = "") -> Iterator[Path]:
    """Gives a path to write to, which becomes `target` at the end; after an error or a kill `target` is as it was.

    Args:
        target: the file.
        suffix: of the scratch name, for libraries that insist on one, such as ".h5".

    Raises:
        CannotWrite: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    scratch = target.with_name(_scratch_name(target.name) + suffix)
    try:
        with written_at(target):
            yield scratch
            _to_disk(scratch)
            scratch.replace(target)
            _to_disk(target.parent)
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_whole(target: str | Path) -> Iterator[Path]:
    """Gives a new folder to fill, which takes the place of `target` at the end; see `written_whole`."""
    target = Path(target)
    scratch = target.with_name(_scratch_name(target.name))
    try:
        with written_at(target):
            scratch.mkdir()
            yield scratch
            for path in scratch.rglob("*"):
                _to_disk(path)
            shutil.rmtree(target, ignore_errors=True)
            scratch.rename(target)
            _to_disk(target.parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Writes a file whole or not at all; returns its path."""
    path = Path(path)
    with written_whole(path) as scratch:
        scratch.write_bytes(content)
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Writes a text file, UTF-8 with plain line ends, whole or not at all; returns its path."""
    return write_bytes(path, text.encode("utf-8"))


def open_lines(path: str | Path) -> BinaryIO:
    """Opens a file anew for `write_line`: what is written stays, whatever comes after."""
    with written_at(path):
        return open(path, "wb", buffering=0)


def write_line(file: BinaryIO, line: str) -> None:
    """Writes one line to a file from `open_lines`; a `CannotWrite` where the disk is full."""
    content = line.encode("utf-8") + b"\n"
    with written_at(file.name):
        if file.write(content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# ---- several files ----


def write_together(folder: str | Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files of one folder so that readers see the old ones or the new ones, whenever this is stopped.

    They are written to a scratch folder first. One rename makes that folder final; from then on the new files are what counts, and
    whoever comes next (`finish_writing`) moves into place what a killed writer left there.

    Args:
        folder: is made if need be.
        files: name, or path below the folder -> content. Readers that open them in the opposite order and check one against the
            other (by checksum) see no mixture while the files are moved.
    """
    folder = Path(folder)
    with written_at(folder):
        folder.mkdir(parents=True, exist_ok=True)
        finish_writing(folder)
        scratch = folder / _scratch_name("together")
        scratch.mkdir()
        try:
            _fill(scratch, files)
            _make_ready(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        finish_writing(folder)
    return folder


def _fill(scratch: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes files into a folder, down to the disk."""
    for name, content in files.items():
        path = scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        _to_disk(path)
    _to_disk(scratch)


def _make_ready(scratch: Path, folder: Path) -> None:
    """Gives a whole set of files the name by which whoever comes next knows it; another writer's set goes first."""
    while True:
        try:
            scratch.rename(folder / _READY)
            return
        except OSError as error:
            taken = error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES) and (folder / _READY).exists()
            if not taken:
                raise
        finish_writing(folder)


def finish_writing(folder: str | Path) -> None:
    """Moves a whole set of files into place that a writer, perhaps a killed one, has left ready in the folder."""
    folder = Path(folder)
    ready = folder / _READY
    if not ready.is_dir():
        return
    for path in sorted(p for p in ready.rglob("*") if p.is_file()):
        target = folder / path.relative_to(ready)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Another process may do the same at this moment.
        with contextlib.suppress(FileNotFoundError):
            path.replace(target)
    shutil.rmtree(ready, ignore_errors=True)
    _to_disk(folder)


@contextlib.contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Keeps other processes of this machine from changing what is read, changed and written again; where there are no locks, nothing."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems have none
            fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)


# ---- before the work ----


def check_folder_takes(folder: str | Path) -> Path:
    """Tries an output folder, so that one that takes nothing is known before the work and not after it.

    What dead runs left unfinished there is removed. A folder that was not there is not there afterwards either.

    Raises:
        CannotWrite: it cannot be made or written.
    """
    folder = Path(folder)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        with written_at(folder):
            folder.mkdir(parents=True, exist_ok=True)
            clear_leftovers(folder)
            with tempfile.TemporaryFile(dir=folder, prefix=".melascope-") as file:
                file.write(b"melascope")
                file.flush()
    finally:
        with contextlib.suppress(OSError):
            for place in made:
                place.rmdir()
    return folder


def make_folder(folder: str | Path) -> Path:
    """Makes a folder where there is none; a `CannotWrite` says why that cannot be done."""
    folder = Path(folder)
    with written_at(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def make_cache_folder(folder: str | Path) -> Path:
    """Makes the cache's folder and removes what dead runs left in it; a `CannotWrite` names the variable that chooses another."""
    try:
        make_folder(folder)
    except CannotWrite as error:
        raise CannotWrite(f"{error} {CACHE_VARIABLE}=/some/folder names another place for decoded photos.") from None
    clear_cache(folder)
    return Path(folder)


def reserve(file: BinaryIO, size: int, path: str | Path) -> None:
    """Makes a file `size` bytes long and has the disk keep the room for them.

    A file that is written through memory needs this: where the disk is full then, the process dies of a bus error instead of getting
    an exception.

    Args:
        file: open for writing.
        path: what to call it in an error; its folder is the one that is full.

    Raises:
        CannotWrite: there is not so much room.
    """
    with written_at(path, size):
        file.flush()
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
            return
        place = file.seek(0, os.SEEK_END)
        while place < size:
            place += file.write(_ZEROS[: size - place])
        file.flush()


# ---- what dead runs left ----


def clear_leftovers(folder: str | Path, now: float | None = None) -> list[Path]:
    """Removes unfinished files that dead writers left in a folder; those of living ones stay.

    Args:
        now: seconds since 1970; this moment when None.

    Returns:
        What was removed.
    """
    removed = []
    now = time.time() if now is None else now
    try:
        entries = list(Path(folder).iterdir())
    except OSError:
        return removed
    for path in entries:
        ours = _SCRATCH.match(path.name)
        if not ours and not _OLD_SCRATCH.match(path.name):
            continue
        try:
            old = now - path.lstat().st_mtime > LEFT_ALONE
            dead = bool(ours) and ours["machine"] == _machine() and not _runs(int(ours["process"]))
            if dead or old:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                removed.append(path)
        except OSError:
            continue  # another process was quicker, or it is not ours to remove
    return removed


def clear_cache(root: str | Path, now: float | None = None) -> list[Path]:
    """Removes what dead runs left in the cache, and arrays that no run has used for two months; see `mark_used`."""
    now = time.time() if now is None else now
    removed = clear_leftovers(root, now)
    for path in Path(root).glob("*.npy"):
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > UNUSED:
                path.unlink()
                removed.append(path)
    return removed


def mark_used(path: str | Path) -> None:
    """Sets a cached file's time to now, so that `clear_cache` keeps it."""
    with contextlib.suppress(OSError):
        os.utime(path)


# ---- details ----


def _machine() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def _scratch_name(name: str) -> str:
    return f".{name}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.partial"


def _runs(process: int) -> bool:
    """Whether a process of this machine is alive."""
    if os.name != "posix":
        return True  # there a signal 0 would end it; age alone decides
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _to_disk(path: Path) -> None:
    """Forces a file, or a folder's names, out of the system's memory; where that cannot be done, nothing is lost but this."""
    try:
        place = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():
            return  # Windows opens no folders
        raise
    try:
        os.fsync(place)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
    finally:
        os.close(place)


def _cannot_write(error: OSError, target: Path, size: int | None = None) -> CannotWrite:
    folder = target if target.is_dir() else target.parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        scratch = _SCRATCH.match(target.name)
        name = scratch["name"] if scratch else target.name
        wanted = f" {name} needs {size / 1e6:,.0f} MB" if size else " There is no room"
        try:
            wanted += f", {shutil.disk_usage(folder).free / 1e6:,.0f} MB are free."
        except OSError:
            wanted += "."
        return CannotWrite(
            f"The disk of {folder} is full.{wanted} Make room, or choose another folder (decoded photos: {CACHE_VARIABLE})."
        )
    if fault := temporary_fault(error):
        return CannotWrite(fault)
    why = error.strerror or str(error)
    return CannotWrite(
        f"{target} cannot be written ({why}). Expected a folder that this user may write to; choose another one, or change its permissions."
    )
