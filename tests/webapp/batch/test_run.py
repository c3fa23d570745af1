import threading
import time

from core.data.patient import Facts
from core.trust.batch.row import BatchRow
from core.webapp.batch.run import BatchSettings, Holder, Item, Run

ITEMS = [Item(f"{number}.jpg", b"") for number in range(20)]


def row(item: Item) -> BatchRow:
    return BatchRow(item.name, Facts())


def test_rows_come_in_the_order_of_the_photos_and_a_fault_costs_one_row():
    def read(item):
        if item.name == "3.jpg":
            raise ValueError("3.jpg is damaged.")
        if item.name == "4.jpg":
            raise MemoryError
        return row(item)

    run = Run(ITEMS, BatchSettings("Drawn"), read)
    run.start()
    run.wait()
    assert [one.photo for one in run.rows] == [item.name for item in ITEMS] and not run.stopped
    assert run.rows[3].error == "3.jpg is damaged." and "memory" in run.rows[4].error
    assert sum(bool(one.error) for one in run.rows) == 2


def test_a_stopped_batch_keeps_what_was_read_and_begins_nothing_more():
    read, go = [], threading.Event()

    def slow(item):
        read.append(item.name)
        if len(read) > 2:
            go.wait(20)
        return row(item)

    run = Run(ITEMS, BatchSettings("Drawn"), slow)
    run.start()
    while len(read) < 3:
        time.sleep(0.01)
    run.stop()
    go.set()
    run.wait()
    assert run.stopped and 2 <= len(run.rows) < len(ITEMS) and len(read) < len(ITEMS)
    assert [one.photo for one in run.rows] == [item.name for item in ITEMS[: len(run.rows)]]


def test_a_batch_whose_session_is_forgotten_stops():
    go, holder = threading.Event(), Holder()

    def slow(item):
        go.wait(20)
        return row(item)

    run = holder.run = Run(ITEMS, BatchSettings("Drawn"), slow)
    run.start()
    del holder
    go.set()
    run.wait()
    assert run.stopped
