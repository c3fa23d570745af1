"""What of the machine is ours: cores, and memory that goes back; and what is worked out once although several threads ask."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
# How long work says where it stands: so much is done, of so much.
Progress = Callable[[int, int], None]
_alone: ContextVar[bool] = ContextVar("alone", default=False)


def cores() -> int:
    """How many cores this process may use; 1 in a thread that works beside others of its kind, see `one_core`."""
    if _alone.get():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_core() -> None:
    """From now on this thread counts on one core: the others have threads of their own, each with a photo of its own.

    A pool's `initializer`.
    """
    _alone.set(True)


def give_back_memory() -> None:
    """What was freed goes back to the system, which the C library otherwise keeps; only Linux's can be asked."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def keep_little_freed() -> None:
    """From now on all threads take memory from the same few places: where each has its own, what one has freed is of no use to the next.

    For a server, whose sessions are threads; to be called before they begin. Only Linux's C library can be asked.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(-8, 2)  # M_ARENA_MAX
        library.mallopt(-1, 1 << 17)  # M_TRIM_THRESHOLD, bytes


class once(Generic[T]):
    """A property that is worked out when first asked for, and kept with its object.

    Unlike `functools.cached_property` before Python 3.12, which lets only one object at a time work it out, objects do not wait for
    each other; threads that ask one object do.
    """

    def __init__(self, make: Callable[[Any], T]):
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance, owner):
        if instance is None:
            return self
        kept = vars(instance)
        with kept.setdefault(f"_making_{self._name}", threading.RLock()):
            # Asked again only by whoever waited: what is kept under the property's own name is found before the property.
            if self._name not in kept:
                kept[self._name] = self._make(instance)
        return kept[self._name]
