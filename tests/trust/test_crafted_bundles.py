"""Cases and sessions that somebody crafted: each is refused by one sentence, and reading one writes nothing anywhere."""

import io
import json
import os
import struct
import sys
import warnings
import zipfile

import pytest

from core.bundle import load_bundle
from core.data.drawn import draw_lesion
from core.data.patient import Facts
from core.reading import read_lesion
from core.trust.replay import CASE_FILE, MAX_PHOTO, PHOTO_FILE, InvalidCase, read_case, write_case
from core.trust.session_file import SESSION_FILE, InvalidSession, SessionCase, read_session, write_session

WRITES = {"os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.chmod", "os.truncate", "shutil.copyfile"}
HOSTILE = "<script>window.ran=1</script>"


@pytest.fixture(scope="module")
def written():
    """What this process writes from now on; the hook itself cannot be taken away again."""
    seen: list[str] | None = []

    def watch(event: str, arguments: tuple) -> None:
        if seen is None:
            return
        flags = arguments[2] if event == "open" and len(arguments) > 2 and isinstance(arguments[2], int) else 0
        if event in WRITES or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            seen.append(f"{event} {arguments[0]!r}")

    sys.addaudithook(watch)
    yield seen
    seen = None


@pytest.fixture(scope="module")
def case(drawn_bundle_folder) -> bytes:
    photo = draw_lesion("mel", (120, 90))[0]
    reading = read_lesion(load_bundle(drawn_bundle_folder), photo, Facts(62, "female", "scalp"), explain=False)
    return write_case(photo, reading)


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of a name twice, which is meant
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def link(name: str, target: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, target)
    return file.getvalue()


def crafted_cases(case: bytes) -> dict[str, bytes]:
    """Bundles of one case, by what was done to them."""
    whole = zipfile.ZipFile(io.BytesIO(case))
    record, photo = json.loads(whole.read(CASE_FILE)), whole.read(PHOTO_FILE)

    def told(**changes) -> bytes:
        return zipped((CASE_FILE, json.dumps(record | changes).encode()), (PHOTO_FILE, photo))

    def named(case_name: str, photo_name: str = PHOTO_FILE) -> bytes:
        return zipped((case_name, whole.read(CASE_FILE)), (photo_name, photo))

    reading = record["reading"]
    lying = bytearray(zipped((CASE_FILE, whole.read(CASE_FILE)), (PHOTO_FILE, bytes(MAX_PHOTO + 1))))
    lying = bytes(lying.replace(struct.pack("<I", MAX_PHOTO + 1), struct.pack("<I", 100)))
    facts = [
        {"age": 62, "sex": HOSTILE, "site": "scalp"},
        {"age": 62, "sex": "female", "site": HOSTILE},
        {"age": HOSTILE, "sex": "female", "site": "scalp"},
    ]
    return {
        "a path up": named(f"../{CASE_FILE}"),
        "a long path up": named("../" * 30 + f"tmp/{CASE_FILE}"),
        "an absolute path": named(f"/{CASE_FILE}"),
        "a Windows path": named(f"C:\\{CASE_FILE}"),
        "a Windows path up": named(f"..\\{CASE_FILE}"),
        "a path up for the photo": named(CASE_FILE, f"../{PHOTO_FILE}"),
        "a folder": named(f"{CASE_FILE}/"),
        "a link for the case": link(CASE_FILE, "/etc/passwd"),
        "a link for the photo": link(PHOTO_FILE, "/etc/passwd"),
        "many members": zipped(*((str(number), b"") for number in range(1000))),
        "the case twice": zipped((CASE_FILE, whole.read(CASE_FILE)), (CASE_FILE, b"{}"), (PHOTO_FILE, photo)),
        "a photo bomb": zipped((CASE_FILE, whole.read(CASE_FILE)), (PHOTO_FILE, bytes(MAX_PHOTO + 1))),
        "a photo that lies about its size": lying,
        "a case bomb": zipped((CASE_FILE, b" " * 200_000_000), (PHOTO_FILE, photo)),
        "brackets": zipped((CASE_FILE, b"[" * 1_000_000), (PHOTO_FILE, photo)),
        "braces": zipped((CASE_FILE, b'{"a":' * 500_000), (PHOTO_FILE, photo)),
        "a number of a million digits": zipped(
            (CASE_FILE, b'{"format": ' + b"9" * 1_000_000 + b"}"), (PHOTO_FILE, photo)
        ),
        "a zip in a zip": zipped((CASE_FILE, case), (PHOTO_FILE, case)),
        "no zip": b"MZ" + bytes(1000),
        "half": case[: len(case) // 2],
        "a list": zipped((CASE_FILE, b"[]"), (PHOTO_FILE, photo)),
        "another format": told(format=HOSTILE),
        "no reading": told(reading=HOSTILE),
        **{f"facts {number}": told(reading=reading | {"facts": one}) for number, one in enumerate(facts)},
        "probabilities of text": told(reading=reading | {"probabilities": {HOSTILE: 1.0}}),
    }


def crafted_sessions(case: bytes) -> dict[str, bytes]:
    """Sessions, by what was done to them."""
    session = write_session([SessionCase(case, "First", "")])
    whole = zipfile.ZipFile(io.BytesIO(session))
    members = {name: whole.read(name) for name in whole.namelist()}

    def with_members(**changes: bytes) -> bytes:
        return zipped(*(members | changes).items())

    first = next(name for name in members if name != SESSION_FILE)
    return {
        "a path up": zipped((f"../{SESSION_FILE}", members[SESSION_FILE]), (f"../{first}", members[first])),
        "an absolute path": zipped((f"/{SESSION_FILE}", members[SESSION_FILE]), (first, members[first])),
        "a link": link(SESSION_FILE, "/etc/passwd"),
        "brackets": with_members(**{SESSION_FILE: b"[" * 1_000_000}),
        "a bomb": with_members(**{SESSION_FILE: b" " * 200_000_000}),
        "a case that is a bomb": with_members(**{first: zipped((CASE_FILE, b" " * 200_000_000))}),
        "many members": with_members(**{f"more-{number}": b"" for number in range(10_000)}),
    }


def test_crafted_bundles_are_refused_by_a_sentence_and_write_nothing(case, written, tmp_path, monkeypatch):
    crafted = [(read_case, InvalidCase, name, data) for name, data in crafted_cases(case).items()]
    crafted += [(read_session, InvalidSession, name, data) for name, data in crafted_sessions(case).items()]
    assert len(crafted) == 34
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for read, fault, name, data in crafted:
        written.clear()
        with pytest.raises(fault) as told:
            read(data)
        said = str(told.value)
        assert said and "\n" not in said and len(said) < 600, name
        assert not written, name
    assert not list(tmp_path.iterdir())
    # The watch sees what is written.
    (tmp_path / "seen").write_text("x")
    assert written
