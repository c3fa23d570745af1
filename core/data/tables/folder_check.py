"""Whether a data set's folder is whole, by decoding every photo; and whether a network can be trained on it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from core.data.ham10000 import Dataset, InvalidDataset, read_dataset
from core.data.images import UnreadablePhoto, read_photo
from core.data.split import lesions_unknown, require_lesions
from core.data.tables.findings import Finding, count_unknown, list_findings
from core.diagnoses import CODES
from core.threads import Progress


@dataclass(frozen=True)
class FolderCheck:
    """What `data check` reports about a folder."""

    folder: str
    photos: int
    lesions: int
    photos_without_lesion: int
    per_class: dict[str, int]
    lesions_per_class: dict[str, int]
    masks: int
    missing_photos: tuple[str, ...]
    unreadable: tuple[str, ...]
    missing_facts: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, a sentence each; unreadable photos are counted apart."""
        return tuple(f.sentence for f in self.findings if f.wrong)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is merely so, a sentence each."""
        return tuple(f.sentence for f in self.findings if not f.wrong)

    @property
    def ok(self) -> bool:
        """True when every row has a readable photo, every photo a row, and nothing contradicts."""
        return not (self.unreadable or self.problems)


def check_folder(folder: str | Path, progress: Progress | None = None) -> FolderCheck:
    """Checks a folder by decoding every photo.

    Args:
        folder: as for `read_table`.
        progress: called with (photos done, photos in all).

    Raises:
        InvalidDataset: the table itself cannot be used.
    """
    dataset = read_dataset(folder)
    table = dataset.table
    there = table[table.path != ""]

    def fault(row) -> str | None:
        try:
            read_photo(row.path)
        except UnreadablePhoto as error:
            return f"{row.image_id}: {error}"
        return None

    unreadable = []
    with ThreadPoolExecutor() as pool:
        for done, problem in enumerate(pool.map(fault, there.itertuples()), start=1):
            if problem:
                unreadable.append(problem)
            if progress:
                progress(done, len(there))
    lesions = table.drop_duplicates("lesion_id")
    return FolderCheck(
        folder=str(folder),
        photos=len(table),
        lesions=len(lesions),
        photos_without_lesion=int(lesions_unknown(table).sum()),
        per_class={c: int((table.dx == c).sum()) for c in CODES},
        lesions_per_class={c: int((lesions.dx == c).sum()) for c in CODES},
        masks=int((table["mask"] != "").sum()),
        missing_photos=tuple(table.image_id[table.path == ""]),
        unreadable=tuple(unreadable),
        missing_facts=count_unknown(table),
        findings=list_findings(dataset),
    )


def require_trainable(dataset: Dataset, by_lesion: bool) -> None:
    """Makes sure that a network can learn from a folder, before anything long begins.

    Args:
        by_lesion: the split is to be by lesion.

    Raises:
        InvalidDataset: one diagnosis only. `LesionsUnknown`: by lesion, where most photos have no lesion id.
    """
    there = sorted(set(dataset.table.dx))
    if len(there) == 1:
        raise InvalidDataset(
            f"Every photo of {dataset.source} has one diagnosis, {there[0]}: a network learns nothing from them. "
            f"Expected photos of several of the diagnoses {', '.join(CODES)}."
        )
    if by_lesion:
        require_lesions(dataset.table, dataset.source)
