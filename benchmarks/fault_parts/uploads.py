"""Malformed uploads, each read as the app and the command line read: answered, or refused by a sentence, and soon."""

import multiprocessing
import resource
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from PIL import Image

from benchmarks.fault_parts.malformed import malformed_uploads
from benchmarks.side_by_side import tell

LONGEST = 5.0  # seconds
# What the reading process may hold, MB: a photo of the largest size that is let in, decoded, and the network.
MOST_MEMORY = 2000


def measure(count: int, seed: int, photo: Path | None, model: str) -> None:
    """Prints what became of each way to spoil a file."""
    picture = None
    if photo is not None:
        with Image.open(photo) as opened:
            picture = opened.convert("RGB")
    reader = Reader(model)
    ends, seconds, worst = Counter(), [], ("", 0.0)
    for upload in malformed_uploads(count, seed, picture):
        end, took, memory = reader.read(upload.name, upload.content)
        ends[f"{upload.way}: {end.split(':')[0]}"] += 1
        seconds.append(took)
        if took > worst[1]:
            worst = upload.name, took
        if end.startswith(("crash", "hang")):
            print(upload.name, end)
    peak = reader.peak
    reader.stop()
    kinds = Counter(key.split(": ")[1] for key in ends.elements())
    for what in ("crash", "hang"):
        tell(f"malformed uploads: {what}", kinds[what] / count, "0", kinds[what] == 0, uploads=count, seed=seed)
    tell(
        "malformed uploads: slowest / 5 s",
        worst[1] / LONGEST,
        "< 1",
        worst[1] < LONGEST,
        upload=worst[0],
        median_ms=round(1000 * sorted(seconds)[count // 2], 1),
    )
    tell(
        f"malformed uploads: memory at most / {MOST_MEMORY} MB",
        peak / MOST_MEMORY,
        "< 1",
        peak < MOST_MEMORY,
        megabytes=round(peak),
        before=round(reader.before),
        ends=dict(sorted(ends.items())),
    )


class Reader:
    """A process that reads uploads; begun anew when it dies or does not answer."""

    def __init__(self, model: str):
        self.model, self.peak, self.before = model, 0.0, 0.0
        self._start()

    def _start(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self.process = context.Process(target=_serve, args=(theirs, self.model), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe = ours
        self.before = self.pipe.recv()

    def read(self, name: str, content: bytes) -> tuple[str, float, float]:
        """How it ended, seconds, and the most memory that the process has held, MB."""
        begun = time.perf_counter()
        self.pipe.send((name, content))
        try:
            if not self.pipe.poll(LONGEST):
                self.stop()
                self._start()
                return "hang", time.perf_counter() - begun, self.peak
            end, memory = self.pipe.recv()
        except EOFError:
            self.process.join()
            code = self.process.exitcode
            self._start()
            return f"crash: the process ended with {code}", time.perf_counter() - begun, self.peak
        self.peak = max(self.peak, memory)
        return end, time.perf_counter() - begun, memory

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def _serve(pipe: Connection, model: str) -> None:
    """Runs in the reading process."""
    import warnings

    warnings.simplefilter("ignore")
    from core.card import find_bundle
    from core.data.drawn import draw_lesion
    from core.data.images import UnreadablePhoto
    from core.interchange import SourcePhoto, read_photos
    from core.questions import OpenModel, Question

    opened, question = OpenModel(find_bundle(model).resolve()), Question(jury=False)
    opened.answer(SourcePhoto(draw_lesion("mel", (240, 180))[0]), question)
    pipe.send(_megabytes())
    while True:
        name, content = pipe.recv()
        try:
            answers = [opened.answer(photo, question) for photo in read_photos(content, name)]
            end = "answered" if all(answer.reading for answer in answers) else "refused by the gate"
        except UnreadablePhoto as error:
            end = "refused by a sentence" if str(error).strip() and "\n" not in str(error) else f"crash: {error!r}"
        except Exception as error:  # noqa: BLE001 - what is no sentence of ours is a fault
            end = f"crash: {type(error).__name__} {error}"
        pipe.send((end, _megabytes()))


def _megabytes() -> float:
    """The most that this process has held (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
