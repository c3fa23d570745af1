"""Reader studies whose server, or whose database, is killed while readers answer: every answer that was said to be kept is there."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from made_up_teaching import make_cases

from core.teaching.case_sets.file import set_to_record as cases_to_record
from core.teaching.store.database import Store
from core.teaching.store.place import database_url
from core.teaching.store.tables import ReaderRow, StudyReadingRow
from core.teaching.studies.protocol_file import protocol_from_record
from core.teaching.studies.reading import Done, answer_reading, next_reading
from core.teaching.studies.study import join_study, open_study

REPOSITORY = Path(__file__).resolve().parents[2]
READERS, CASES = 4, 60


@pytest.fixture
def protocol():
    questions = [{"id": "dx", "prompt": "Diagnosis?", "type": "diagnosis"}]
    questions += [{"id": "sure", "prompt": "How sure?", "type": "confidence"}]
    return protocol_from_record(
        {
            "format": "melascope-study",
            "version": 1,
            "name": "Who is killed goes on",
            "target": "mel",
            "arms": [{"name": "alone", "shows": ["facts"]}],
            "order": {"design": "crossover", "washout_days": 0, "cases": "random", "seed": 3},
            "repeats": 0,
            "questions": questions,
            "consent": "I agree.",
            "cases": cases_to_record(make_cases(("nv", "mel") * (CASES // 2))),
        }
    )


def answer_of(reader: int, place: int) -> dict:
    """Another answer to each reading, so that a mixed-up one would show."""
    return {"dx": "mel" if (reader + place) % 2 else "nv", "sure": 10 + (7 * reader + 3 * place) % 90}


def open_with_readers(store: Store, protocol):
    study = open_study(store, protocol, {})
    return study, [join_study(store, study.code, f"Reader {n}", consent=True) for n in range(READERS)]


def check(store: Store, study, tokens: list[str], told: dict[int, list[int]]) -> None:
    """What was told to each reader is there as it was answered, and each goes on after it to the end, each place once."""

    def kept(session) -> dict[int, dict[int, dict]]:
        readers = {row.id: int(row.nickname.split()[-1]) for row in session.query(ReaderRow)}
        found: dict[int, dict[int, dict]] = {n: {} for n in range(READERS)}
        for row in session.query(StudyReadingRow):
            assert row.place not in found[readers[row.reader_id]], "twice"
            found[readers[row.reader_id]][row.place] = row.answers
        return found

    there = store.read(kept)
    for reader, token in enumerate(tokens):
        assert set(told[reader]) <= set(there[reader])
        for place, answers in there[reader].items():
            assert answers == answer_of(reader, place)
        # One that was kept and whose confirmation was lost is the most that may be there beyond.
        assert sorted(there[reader]) == list(range(len(there[reader]))) and len(there[reader]) <= len(told[reader]) + 1
        coming = next_reading(store, study.code, token)
        if told[reader]:
            last = max(told[reader])
            assert answer_reading(store, study.code, token, last, answer_of(reader, last)) == coming, "sent again"
        while not isinstance(coming, Done):
            coming = answer_reading(store, study.code, token, coming.place, answer_of(reader, coming.place))
    assert {len(found) for found in store.read(kept).values()} == {CASES}


CODE = """
import json, sys, threading
sys.path.insert(0, {tests!r})
from test_killed_study import answer_of
from core.teaching.store.database import Store
from core.teaching.store.place import database_url
from core.teaching.studies.reading import Done, answer_reading, next_reading
store, lock = Store(database_url({address!r})), threading.Lock()
def read(number, token):
    coming = next_reading(store, {code!r}, token)
    while not isinstance(coming, Done):
        place = coming.place
        coming = answer_reading(store, {code!r}, token, place, answer_of(number, place))
        with lock:
            sys.stdout.write(json.dumps([number, place]) + chr(10)); sys.stdout.flush()
for number, token in enumerate({tokens!r}):
    threading.Thread(target=read, args=(number, token), daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.slow
def test_a_server_that_is_killed_while_readers_answer_loses_no_answer(address, protocol):
    store = Store(database_url(address))
    study, tokens = open_with_readers(store, protocol)
    store.close()
    here = Path(__file__).resolve().parent
    code = CODE.format(tests=str(here), address=address, code=study.code, tokens=tokens)
    path = [str(REPOSITORY), str(here), str(here.parent)]
    server = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [server.stdout.readline() for _ in range(READERS * CASES // 4)]
    server.kill()
    lines += [line for line in server.stdout if line.endswith("\n")]
    server.wait()
    server.stdout.close()
    told: dict[int, list[int]] = {n: [] for n in range(READERS)}
    for number, place in map(json.loads, lines):
        told[number].append(place)
    assert sum(map(len, told.values())) < READERS * CASES, "It was killed in the middle."
    again = Store(database_url(address))
    check(again, study, tokens, told)
    again.close()


@pytest.mark.parametrize("how", ["immediate", "kill -9"])
@pytest.mark.slow
def test_a_postgresql_that_is_killed_while_readers_answer_loses_no_answer(postgresql, protocol, how):
    store = Store(database_url(postgresql.empty()))
    study, tokens = open_with_readers(store, protocol)
    told: dict[int, list[int]] = {n: [] for n in range(READERS)}
    faults, go_on, begun = [], threading.Event(), threading.Event()

    def read(number: int, token: str) -> None:
        try:
            coming = next_reading(store, study.code, token)
            while not isinstance(coming, Done):
                place = coming.place
                if place == CASES - 2:  # the last ones are answered by the server that was started again
                    go_on.wait(60)
                coming = answer_reading(store, study.code, token, place, answer_of(number, place))
                told[number].append(place)
                begun.set()
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=read, args=one) for one in enumerate(tokens)]
    for thread in threads:
        thread.start()
    begun.wait(30)
    postgresql.restart(how)
    time.sleep(0.2)
    go_on.set()
    for thread in threads:
        thread.join()
    assert not faults
    check(store, study, tokens, told)
    store.close()
