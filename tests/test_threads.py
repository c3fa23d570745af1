import threading
import time
from concurrent.futures import ThreadPoolExecutor

from core.threads import cores, once, one_core


class Slow:
    def __init__(self):
        self.made = 0

    @once
    def answer(self) -> int:
        """Of everything."""
        self.made += 1
        time.sleep(0.05)
        return 42


def test_threads_that_ask_one_object_wait_for_one_answer():
    slow = Slow()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: slow.answer, range(8))) == [42] * 8
    assert slow.made == 1
    assert Slow.answer.__doc__ == "Of everything."


def test_objects_do_not_wait_for_each_other():
    meet = threading.Barrier(2, timeout=10)

    class Met:
        @once
        def here(self) -> bool:
            meet.wait()
            return True

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(lambda met: met.here, (Met(), Met()))), "each is at work while the other is"


def test_a_failed_answer_is_asked_again():
    class Once:
        tries = 0

        @once
        def answer(self) -> int:
            self.tries += 1
            if self.tries == 1:
                raise OSError("not yet")
            return self.tries

    asked = Once()
    try:
        _ = asked.answer
    except OSError:
        assert asked.answer == 2


def test_a_thread_beside_others_counts_on_one_core():
    with ThreadPoolExecutor(1, initializer=one_core) as pool:
        assert pool.submit(cores).result() == 1
    assert cores() >= 1
