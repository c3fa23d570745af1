"""What the commands share: where text goes, progress bars, and every error as one sentence."""

import faulthandler
import functools
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from core.folders import temporary_fault
from core.keras_home import find_fault

# Tables that go into a file or a pipe need no folding.
PIPED_WIDTH = 200
STDERR = 2
# What a shell reports for a command stopped by Ctrl-C.
STOPPED = 130


def silence_tensorflow() -> None:
    """Keeps TensorFlow's greetings off the terminal; to be called before it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def results() -> Console:
    """Where answers go: standard output."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def remarks() -> Console:
    """Where progress and errors go: standard error."""
    return Console(stderr=True, width=None if sys.stderr.isatty() else PIPED_WIDTH, highlight=False)


def say(sentence: str, style: str = "") -> None:
    """Writes a sentence to standard error, whole, whatever is in it."""
    printable = " ".join(sentence.split()).encode("utf-8", "replace").decode()
    remarks().print(printable, style=style, markup=False, soft_wrap=True)


def sentence(error: Exception | str) -> str:
    """What went wrong, for a person."""
    if "keras" not in sys.modules and not isinstance(error, str) and (fault := _keras_fault(error)):
        return fault
    if isinstance(error, OSError) and (fault := temporary_fault(error)):
        return fault
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The system'}: {error.strerror}."
    if isinstance(error, (str, ValueError, OSError)):
        return str(error)
    if isinstance(error, ImportError):
        return f"{error}. Install what Melascope needs: `make run`, or `pip install .` in its folder."
    if isinstance(error, MemoryError):
        return "The memory is full. Close other programs, or take a smaller --batch-size or backbone."
    first = (str(error).strip().splitlines() or ["no message"])[0]
    return f"Unexpected {type(error).__name__}: {first} (MELASCOPE_DEBUG=1 shows where)."


def _keras_fault(error: Exception) -> str:
    """What is wrong with Keras' settings, where its import ended with this error; else empty."""
    trace, files = error.__traceback__, []
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    return find_fault() if any("keras" in Path(file).parts for file in files) else ""


def say_error(error: Exception | str) -> None:
    """Writes "Error: ..." to standard error, on one line."""
    say(f"Error: {sentence(error)}", "bold red")


def plain_errors(command: Callable) -> Callable:
    """Makes a command end with one sentence on standard error and a non-zero exit instead of a traceback.

    `MELASCOPE_DEBUG=1` lets the traceback through.
    """

    @functools.wraps(command)
    def run(*args, **kwargs):
        silence_tensorflow()
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            say("Stopped.")
            raise typer.Exit(STOPPED) from None
        except Exception as error:  # a person at a terminal gets a sentence, whatever went wrong
            if os.environ.get("MELASCOPE_DEBUG"):
                raise
            say_error(error)
            raise typer.Exit(1) from None

    return run


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keeps what C++ libraries write to standard error off the terminal.

    It moves the descriptor, and for the whole of a command, since TensorFlow 2.21's import writes before its logging is set up, whatever
    TF_CPP_MIN_LOG_LEVEL says, and whether it is imported at all is decided deep inside a command, by the engine.

    Python's writing still arrives, and where Python was if such a library ends the process. `MELASCOPE_DEBUG=1` lets everything through.
    """
    try:
        ours = sys.stderr.fileno() == STDERR and not os.environ.get("MELASCOPE_DEBUG")
    except (AttributeError, OSError):
        ours = False  # replaced by something that is not the process's own, as in tests
    if not ours:
        yield
        return
    before = sys.stderr
    before.flush()
    with (
        open(os.dup(STDERR), "w", buffering=1, encoding=before.encoding, errors=before.errors) as copy,
        open(os.devnull, "w") as nowhere,
    ):
        sys.stderr, told_before = copy, faulthandler.is_enabled()
        os.dup2(nowhere.fileno(), STDERR)
        faulthandler.enable(copy)
        try:
            yield
        finally:
            faulthandler.disable()
            copy.flush()
            os.dup2(copy.fileno(), STDERR)
            sys.stderr = before
            if told_before:
                faulthandler.enable()


@contextmanager
def progress(doing: str) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error, when that is a terminal.

    Yields:
        update(done, total, doing=None): sets the bar.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = remarks()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=None)

        def update(done: int, total: int | None, doing: str | None = None) -> None:
            bar.update(task, completed=done, total=total, **({"description": doing} if doing else {}))

        yield update
