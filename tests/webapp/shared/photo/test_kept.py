"""What sessions keep together: bounded by bytes, given back at the end, nothing of a patient."""

import ast
import gc
import re
import threading
import weakref
from pathlib import Path

import numpy as np
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest

from core.webapp.shared.photo.kept import ByteBound


def array(kilobytes: int) -> np.ndarray:
    return np.zeros(1000 * kilobytes, "uint8")


def held(store: ByteBound, key, owner="a", kilobytes=100):
    return store.get(key, owner, lambda: array(kilobytes), lambda a: a.nbytes)


def test_the_bytes_of_all_sessions_together_are_bounded_and_what_was_used_last_stays():
    store = ByteBound(250_000)
    first = held(store, 1, "a")
    held(store, 2, "b")
    assert held(store, 1, "b") is first
    held(store, 3, "c")
    assert store.bytes == 200_000 and held(store, 1) is first, "2 was used longest ago"
    huge = held(store, 4, "a", 300)
    assert huge.nbytes == 300_000 and store.bytes <= 250_000, "what does not fit is given and not kept"


def test_a_value_that_grows_counts_as_it_is():
    store, value = ByteBound(250_000), []
    store.get("grows", "a", lambda: value, lambda v: 100_000 * len(v))
    value += [1, 2]
    held(store, "other", "a")
    store.get("grows", "a", list, lambda v: 100_000 * len(v))
    assert store.bytes == 200_000 and len(store) == 1


def test_what_only_one_session_used_goes_with_it():
    store = ByteBound(10**6)
    shared, own = held(store, "shared", "a"), weakref.ref(held(store, "own", "a"))
    held(store, "shared", "b")
    store.release("a")
    gc.collect()
    assert own() is None and held(store, "shared", "b") is shared
    store.release("b")
    assert not len(store) and store.bytes == 0


def test_two_who_ask_at_a_time_make_it_once_and_a_failure_is_not_kept():
    store, made, start = ByteBound(), [], threading.Barrier(4)

    def ask():
        start.wait()
        store.get("key", threading.get_ident(), lambda: made.append(1) or array(1), lambda a: a.nbytes)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    for _ in range(2):
        try:
            store.get("bad", "a", lambda: 1 / 0, lambda a: 1)
        except ZeroDivisionError:
            made.append(2)
    assert made == [1, 2, 2]


def page():
    import numpy as np
    import streamlit as st

    from core.webapp.shared.photo.kept import _all, answers_of, keep

    keep("photo", lambda: np.zeros(1000, "uint8"), lambda a: a.nbytes)
    answers_of("photo", dict)["a patient of 62"] = 0.3
    st.write(f"{_all().bytes} bytes, answers {sorted(answers_of('photo', dict))}")
    entries = _all()._entries
    assert "62" not in str(entries)


def test_a_session_that_ends_gives_its_memory_back_and_leaves_no_facts():
    clear_session_cache("test session id")
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception and "1000 bytes" in app.markdown[0].value and "62" in app.markdown[0].value
    from core.webapp.shared.photo.kept import _all

    store = _all()
    clear_session_cache("test session id")
    assert "photo" not in store._entries


def cached_functions():
    """Every function of the app that Streamlit keeps answers of: where, its name, its arguments' words, whether one session's alone."""
    for path in sorted((Path(__file__).parents[4] / "core").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for mark in getattr(node, "decorator_list", ()):
                words = ast.unparse(mark)
                if "st.cache_" in words:
                    yield f"{path.name}:{node.name}", ast.unparse(node.args), "scope='session'" in words


def test_what_all_sessions_share_is_not_kept_by_facts_or_by_a_visitors_photo():
    found = list(cached_functions())
    assert len(found) > 15
    shared = [
        name for name, arguments, own in found if not own and re.search(r"[Ff]acts|: Photo|age|sex|site", arguments)
    ]
    assert not shared, f'{shared}: patient data in a cache that all sessions share. Give it scope="session".'
