"""What the batch page asks for: photos, a table of facts, and the questions that hold for all of them."""

from pathlib import Path

import streamlit as st

from core.data.decoding.photo_formats import recognise_format
from core.data.images import MAX_BYTES
from core.data.patient import Facts
from core.data.photo_list import list_photos
from core.data.tables.facts_list import HEADER_EXAMPLE, NAMED, FactsList, read_facts_list
from core.data.tables.table_file import InvalidDataset
from core.webapp.batch.run import Item
from core.webapp.shared.photo.allowed import NOT_ALLOWED, allowed_roots, is_allowed, others_reach
from core.webapp.shared.words import plain

PHOTOS, FOLDER, HERE = "Photos", "A folder", "On Melascope's computer"
MOST_PHOTOS = 500
MOST_BYTES = 600_000_000  # of uploads together: they stay in memory


def ask_items() -> list[Item]:
    """Asks for photos and the table of facts; says what of either cannot be used."""
    sources = [PHOTOS, FOLDER, *([HERE] if allowed_roots() or not others_reach() else [])]
    source = st.segmented_control("Photos from", sources, default=PHOTOS, required=True, key="batch source")
    items = _from_disk() if source == HERE else _uploaded(source == FOLDER)
    return _with_facts(items)


def _uploaded(folder: bool) -> list[Item]:
    files = st.file_uploader(
        "A folder of photos" if folder else "Dermoscopic photos",
        accept_multiple_files="directory" if folder else True,
        max_upload_size=MAX_BYTES // 1_000_000,
        key=f"batch {'folder' if folder else 'photos'}",
        help="They stay in this computer's memory while the page is open. Nothing is written to disk or sent elsewhere.",
    )
    if not files:
        return []
    size = sum(file.size for file in files)
    if size > MOST_BYTES:
        st.error(
            f"These files have {size / 1e6:,.0f} MB together. Expected at most {MOST_BYTES / 1e6:.0f} MB at a time: upload them in parts.",
            icon=":material/folder_off:",
        )
        return []
    named = [(file.name, file.getvalue()) for file in sorted(files, key=lambda file: file.name)]
    if folder:
        # A folder holds other files, too; who names a file by itself wants it read, or to hear why not.
        others = [name for name, content in named if not _is_photo(content)]
        named = [(name, content) for name, content in named if _is_photo(content)]
        _say_skipped([f"{name}: no photo." for name in others])
    return _bounded([Item(name, content) for name, content in named])


def _from_disk() -> list[Item]:
    asked = st.text_input(
        "Folder",
        key="batch path",
        placeholder="~/photos",
        help="Photos in it are read; folders in it are not entered.",
    ).strip()
    if not asked:
        return []
    if not is_allowed(asked):
        st.error(NOT_ALLOWED, icon=":material/lock:")
        return []
    try:
        folder = Path(asked).expanduser()
        if not folder.is_dir():
            raise ValueError(f"{asked} is no folder of that computer. Expected a folder of photos.")
        listed = list_photos([folder])
    except (ValueError, OSError, RuntimeError) as error:
        st.error(plain(str(error)), icon=":material/folder_off:")
        return []
    # A link in an allowed folder may lead out of it.
    paths = [path for path in listed.paths if is_allowed(path)]
    _say_skipped(
        [
            *listed.skipped,
            *(f"{path.name}: leads out of the folders that may be read." for path in listed.paths if path not in paths),
        ]
    )
    return _bounded([Item(path.name, path) for path in paths])


def _bounded(items: list[Item]) -> list[Item]:
    if len(items) <= MOST_PHOTOS:
        return items
    st.warning(
        f"{len(items):,} photos are more than this page reads at a time: the first {MOST_PHOTOS} are taken. For more there is "
        "`python -m core read FOLDER`.",
        icon=":material/filter_list:",
    )
    return items[:MOST_PHOTOS]


def _with_facts(items: list[Item]) -> list[Item]:
    file = st.file_uploader(
        f"Facts of the patients, CSV: a first line such as {HEADER_EXAMPLE}, then a row a photo",
        max_upload_size=20,
        key="batch facts",
        help="The photo's name may have its ending or not. Left out, every fact is unknown.",
    )
    if file is None:
        return items
    try:
        told = read_facts_list(file.getvalue(), file.name)
    except InvalidDataset as error:
        st.error(plain(str(error)), icon=":material/table:")
        return items
    _say_facts(told, items)
    return [Item(item.name, item.source, told.of(item.name) or Facts()) for item in items]


def _say_facts(told: FactsList, items: list[Item]) -> None:
    names = [item.name for item in items]
    matched = sum(told.of(name) is not None for name in names)
    unused = told.unused(names)
    if items:
        st.caption(f"Facts for {matched} of {len(items)} photos.")
    if items and unused:
        _say_list("No photo has the name of these rows", unused)
    if told.problems:
        _say_list("Rows of the table that do not count", told.problems)


def _say_skipped(lines) -> None:
    if lines:
        _say_list("Not photos, and left out", lines)


def _say_list(title: str, lines) -> None:
    more = len(lines) - NAMED
    shown = [*map(plain, list(lines)[:NAMED]), *([f"{more:,} more"] if more > 0 else [])]
    st.warning(f"**{title}**  \n" + "  \n".join(shown), icon=":material/info:")


def _is_photo(content: bytes) -> bool:
    photo_format = recognise_format(content)
    return photo_format is not None and photo_format.read
