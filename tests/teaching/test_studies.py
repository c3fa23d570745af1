"""Reader studies: protocols that are checked, orders that are drawn, readings that are blinded, exports, and an analysis to the end."""

import csv
import io
import json
from collections import Counter

import numpy as np
import pytest
from made_up_teaching import make_advice, make_cases

from core.diagnoses import CODES
from core.teaching.answers import suspicion
from core.teaching.case_sets.file import set_to_record as cases_to_record
from core.teaching.credentials import make_secret, photo_key
from core.teaching.people import Refused
from core.teaching.store.clock import Clock
from core.teaching.store.database import Store
from core.teaching.store.place import database_url
from core.teaching.store.tables import ReaderRow, StudyReadingRow, StudyRow
from core.teaching.studies.analysis import analyse_study
from core.teaching.studies.asked import read_answers
from core.teaching.studies.export import ISIC_COLUMNS, export_imrmc, export_isic
from core.teaching.studies.obuchowski_rockette import compare_arms
from core.teaching.studies.order import plan_readings
from core.teaching.studies.protocol import InvalidProtocol
from core.teaching.studies.protocol_file import protocol_from_record, read_protocol, write_protocol
from core.teaching.studies.reading import Done, Pause, Reading, answer_reading, find_study_photo, next_reading
from core.teaching.studies.study import close_study, delete_study, join_study, open_study, study_progress

TRUTHS = ("nv", "mel") * 4


def record(**changes):
    made = {
        "format": "melascope-study",
        "version": 1,
        "name": "Does advice help?",
        "target": "mel",
        "arms": [{"name": "without AI", "shows": ["facts"]}, {"name": "with AI", "shows": ["facts", "network", "map"]}],
        "order": {"design": "crossover", "washout_days": 14, "cases": "random", "seed": 3},
        "repeats": 2,
        "questions": [
            {"id": "dx", "prompt": "Diagnosis?", "type": "diagnosis"},
            {"id": "sure", "prompt": "How sure?", "type": "confidence"},
            {
                "id": "excise",
                "prompt": "Excise?",
                "type": "choice",
                "choices": ["yes", "no", "=maybe"],
                "required": False,
            },
            {"id": "trust", "prompt": "Trust?", "type": "scale", "low": 1, "high": 7, "required": False},
        ],
        "consent": "I agree.",
        "cases": cases_to_record(make_cases(TRUTHS)),
    }
    return made | changes


@pytest.fixture
def protocol():
    return protocol_from_record(record())


@pytest.fixture
def advice(protocol):
    return {case.id: make_advice("nv") for case in protocol.cases.cases}


def answers(dx="nv", sure=70, **further):
    return {"dx": dx, "sure": sure, **further}


# ---- protocols ----


def test_a_protocol_comes_back_from_its_file(protocol, tmp_path):
    path = tmp_path / "study.json"
    path.write_bytes(write_protocol(protocol))
    assert read_protocol(path) == protocol
    assert read_protocol(b"\xef\xbb\xbf" + write_protocol(protocol)) == protocol


def arms(**changes):
    return [{"name": "A", "shows": []}, {"name": "B", "shows": ["network"]} | changes]


def questions(*further):
    return [*record()["questions"][:2], *further]


WRONG = [
    ({"format": "melascope-cases"}, "format is"),
    ({"version": 2}, "Update Melascope"),
    ({"name": ""}, "name is empty"),
    ({"name": 7}, "name is 7; expected a text"),
    ({"colour": 1}, "colour, which this version does not know"),
    ({"target": "cancer"}, "target is 'cancer'. Expected one of: mel, malignant"),
    ({"arms": []}, r"arms is \[\]; expected a list of at least 1 entries"),
    ({"arms": arms() + arms()}, "expected a list of at most 2 entries"),
    ({"arms": {"A": []}}, "expected a list"),
    ({"arms": arms(shows=["photos"])}, r"arms\[1\]: shows is 'photos'. Expected one of: facts, network, map"),
    ({"arms": arms(shows=["map"])}, "map without the network"),
    ({"arms": arms(name="a")}, "twice"),
    ({"arms": [{"name": "A"}]}, r"no arms\[0\].shows"),
    ({"order": {"design": "random"}}, "order.design is 'random'"),
    ({"order": {"washout": 3}}, "order.washout, which this version does not know"),
    ({"order": {"washout_days": -1}}, "order.washout_days is -1; expected a number of at least 0"),
    ({"order": {"seed": 1.5}}, "order.seed is 1.5; expected a whole number"),
    ({"order": {"seed": float("nan")}}, "order.seed"),
    ({"repeats": 9}, "repeats is 9. Expected a whole number from 0 to 8"),
    ({"repeats": True}, "repeats is True; expected a whole number"),
    ({"questions": questions()[:1]}, "expected a list of at least 2 entries"),
    ({"questions": questions()[:1] * 2}, "twice"),
    (
        {"questions": [questions()[0], {"id": "b", "prompt": "?", "type": "choice", "choices": ["a", "b"]}]},
        "0 of type 'confidence'",
    ),
    (
        {"questions": questions({"id": "x", "prompt": "Name?", "type": "text"})},
        r"questions\[2\]: type is 'text'. Expected one of",
    ),
    ({"questions": questions({"id": "x y", "prompt": "?", "type": "scale"})}, r"questions\[2\]: id is 'x y'"),
    ({"questions": questions({"id": "x", "prompt": "?", "type": "scale", "choices": ["a"]})}, "choices are given"),
    (
        {"questions": questions({"id": "x", "prompt": "?", "type": "choice", "choices": ["a", "b"], "high": 9})},
        "low or high is given",
    ),
    ({"questions": questions({"id": "x", "prompt": "?", "type": "choice", "choices": ["a"]})}, "choices has 1 entries"),
    (
        {"questions": questions({"id": "x", "prompt": "?", "type": "choice", "choices": ["a", "a"]})},
        "same choice twice",
    ),
    ({"questions": questions({"id": "x", "prompt": "?", "type": "scale", "low": 5, "high": 5})}, "low end below"),
    ({"questions": questions({"id": "x", "prompt": "?", "type": "scale", "required": "no"})}, "true or false"),
    ({"cases": {}}, "no case set"),
    ({"cases": cases_to_record(make_cases(["nv"] * 5))}, "0 with the target"),
    ({"cases": cases_to_record(make_cases(["mel", "mel", "mel", "nv"]))}, "3 with the target"),
    ({"consent": "x" * 4001}, "4,001 characters"),
    ({"kept_days": 0}, "kept_days"),
    ({"kept_days": float("nan")}, "kept_days"),
    ({"kept_days": float("inf")}, "kept_days"),
    ({"order": {"washout_days": float("nan")}}, "washout_days"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_protocol_that_cannot_be(changes, words):
    with pytest.raises(InvalidProtocol, match=words) as error:
        protocol_from_record(record(**changes))
    assert len(str(error.value).splitlines()) == 1


def test_files_that_are_no_protocol(tmp_path):
    for content in (b"", b"[" * 99999, b"\xff", b"7", b"null", b" " * 6_000_001):
        with pytest.raises(InvalidProtocol):
            read_protocol(content)
    for path in (tmp_path, tmp_path / "nothing", "a\0"):
        with pytest.raises(InvalidProtocol, match="cannot be read"):
            read_protocol(path)
    for needed in ("name", "arms", "questions", "cases"):
        with pytest.raises(InvalidProtocol, match=f"has no (?:[a-z, ]*){needed}"):
            protocol_from_record({k: v for k, v in record().items() if k != needed})


# ---- orders ----


@pytest.mark.parametrize("design", ["crossover", "sequential"])
@pytest.mark.parametrize("repeats", [0, 3])
def test_every_reader_reads_every_case_in_both_arms_and_repeats_at_the_end(design, repeats):
    protocol = protocol_from_record(record(order={"design": design, "seed": 5}, repeats=repeats))
    for reader in range(6):
        plan = plan_readings(protocol, reader)
        assert plan == plan_readings(protocol, reader)
        assert [p.place for p in plan] == list(range(len(plan)))
        firsts = Counter((p.case, p.arm) for p in plan if p.repeat == 1)
        assert firsts == {(case, arm): 1 for case in range(8) for arm in range(2)}
        again = [(p.case, p.arm) for p in plan if p.repeat == 2]
        assert len(again) == 2 * repeats and len(set(again)) == 2 * repeats
        assert {case for case, arm in again if arm == 0} == {case for case, arm in again if arm == 1}
        for session in {p.session for p in plan}:
            order = [p.repeat for p in plan if p.session == session]
            assert order == sorted(order), "repeats come at the end of a session"


def test_crossover_turns_the_arms_over_readers_and_mixes_cases():
    protocol = protocol_from_record(record())
    plans = [plan_readings(protocol, reader) for reader in range(4)]
    assert [plan[0].arm for plan in plans] == [0, 1, 0, 1]
    assert all(
        {p.arm for p in plan if p.session == s} == {(s + reader) % 2}
        for reader, plan in enumerate(plans)
        for s in (0, 1)
    )
    orders = {tuple(p.case for p in plan if p.session == s and p.repeat == 1) for plan in plans for s in (0, 1)}
    assert len(orders) == 8
    assert plan_readings(protocol_from_record(record(order={"seed": 4})), 0) != plans[0]


def test_sequential_reads_each_case_without_and_at_once_with_advice():
    plan = plan_readings(protocol_from_record(record(order={"design": "sequential"}, repeats=0)), 0)
    assert [p.arm for p in plan] == [0, 1] * 8
    assert all(a.case == b.case for a, b in zip(plan[::2], plan[1::2], strict=True))


def test_a_fixed_order_is_that_of_the_file():
    plan = plan_readings(protocol_from_record(record(order={"cases": "fixed"})), 1)
    assert [p.case for p in plan if p.session == 0 and p.repeat == 1] == list(range(8))


# ---- answers ----


@pytest.mark.parametrize(
    "given",
    [
        *(None, [], {}, {"dx": "nv"}, {"sure": 50}, {"dx": "naevus", "sure": 50}, {"dx": "nv", "sure": 101}),
        *({"dx": "nv", "sure": True}, {"dx": "nv", "sure": "50"}, {"dx": "nv", "sure": 50, "excise": "perhaps"}),
        *({"dx": "nv", "sure": 50, "trust": 8}, {"dx": "nv", "sure": 50, "name": "Anna"}, {"dx": ["nv"], "sure": 50}),
    ],
)
def test_answers_that_are_none(protocol, given):
    with pytest.raises(ValueError, match=r"\S"):
        read_answers(protocol, given)


def test_suspicion_orders_answers():
    said = [("nv", 100), ("bcc", 60), ("nv", 10), ("mel", 10), ("mel", 55), ("mel", 100)]
    assert [suspicion(*one) for one in said] == sorted(suspicion(*one) for one in said)
    assert suspicion("bcc", 60, "malignant") == 60


# ---- a study in a database ----


def read_all(store, code, token, say, truths):
    """Reads until a pause or the end; `say(truth, reading)` answers."""
    coming = next_reading(store, code, token)
    while isinstance(coming, Reading):
        case = find_study_photo(store, code, token, coming.photo_key)
        coming = answer_reading(store, code, token, coming.place, say(truths[case.id], coming), 3500)
    return coming


def timed_store(tmp_path):
    steady = [0.0]
    return Store(database_url(str(tmp_path / "t.sqlite3")), clock=Clock(steady=lambda: steady[0])), steady


def test_a_study_from_beginning_to_analysis(tmp_path, protocol, advice):
    store, steady = timed_store(tmp_path)
    study = open_study(store, protocol, advice)
    truths = {case.id: case.truth for case in protocol.cases.cases}
    random = np.random.default_rng(2)

    def say(truth, reading):
        """Mostly right alone; with the network, which says nevus, melanomas are missed more often."""
        wrong = random.random() < (0.4 if reading.network and truth == "mel" else 0.15)
        other = {"nv": "mel", "mel": "nv"}[truth]
        return answers(other if wrong else truth, int(random.integers(40, 100)), excise="=maybe", trust=4)

    readers = [join_study(store, study.code, f"Reader {n}", consent=True, experience="1 to 4") for n in range(5)]
    for token in readers:
        pause = read_all(store, study.code, token, say, truths)
        assert isinstance(pause, Pause) and pause.until == store.clock.now() + 14 * 24 * 3600 * 1000
    with pytest.raises(Refused, match="pause"):
        answer_reading(store, study.code, readers[0], 10, answers())
    assert [p.done for p in study_progress(store, study.code, study.secret)] == [10] * 5
    assert analyse_study(store, study.code, study.secret).test is None
    steady[0] = 14 * 24 * 3600 + 1
    for token in readers[:4]:
        assert read_all(store, study.code, token, say, truths) == Done(20)
    found = analyse_study(store, study.code, study.secret)
    assert found.complete == ("reader001", "reader002", "reader003", "reader004")
    assert found.left_out == {"reader005": 8}
    assert found.test.areas.shape == (2, 4)
    assert [arm.name for arm in found.arms] == ["without AI", "with AI"]
    assert [len(arm.points) for arm in found.arms] in ([5, 4], [4, 5])
    assert sum(arm.same_again.of for arm in found.arms) == 2 * (5 + 4)
    assert all(arm.seconds == 3.5 for arm in found.arms)

    # The same again from the file that iMRMC reads.
    lines = export_imrmc(store, study.code, study.secret).decode().splitlines()
    head, data = lines[: lines.index("BEGIN DATA:")], lines[lines.index("BEGIN DATA:") + 1 :]
    assert {"NR: 5", "N0: 4", "N1: 4", "NM: 2"} <= set(head)
    rows = [line.split(",") for line in data]
    assert all(len(row) == 4 for row in rows)
    truth = {case: value == "1" for reader, case, arm, value in rows if (reader, arm) == ("-1", "0")}
    assert truth == {case: code == "mel" for case, code in truths.items()}
    rated = {(r, c, a): float(v) for r, c, a, v in rows if r != "-1"}
    assert len(rated) == 4 * 16 + 8 and {a for _, _, a in rated} == {"without_AI", "with_AI"}
    table = [[[rated[r, c, a] for c in truth] for r in found.complete] for a in ("without_AI", "with_AI")]
    again = compare_arms(np.array(table), np.array(list(truth.values())))
    assert again.readers_and_cases == found.test.readers_and_cases

    # And from the columns of ISIC studies.
    text = export_isic(store, study.code, study.secret).decode("utf-8-sig")
    table = list(csv.DictReader(io.StringIO(text)))
    assert tuple(table[0])[:8] == ISIC_COLUMNS
    assert len(table) == (4 * 20 + 10) * 4
    assert {row["question_type"] for row in table} == {"diagnosis", "number", "select"}
    assert {row["annotation_duration"] for row in table} == {"3.5"}
    assert {row["answer"] for row in table if row["question_id"] == "excise"} == {"'=maybe"}
    assert "Reader 1" not in text
    store.close()


def test_a_reader_goes_on_where_the_reading_stopped(any_store, protocol, advice):
    study = open_study(any_store, protocol, advice)
    token = join_study(any_store, study.code, "Anna", consent=True)
    first = next_reading(any_store, study.code, token)
    assert next_reading(any_store, study.code, token) == first
    second = answer_reading(any_store, study.code, token, 0, answers())
    assert answer_reading(any_store, study.code, token, 0, answers()) == second, "sent again"
    with pytest.raises(Refused, match="first answer counts"):
        answer_reading(any_store, study.code, token, 0, answers("mel"))
    for place in (2, -1, "1", None, True, 10**12):
        with pytest.raises(Refused):
            answer_reading(any_store, study.code, token, place, answers())
    assert any_store.read(lambda s: s.query(StudyReadingRow).count()) == 1


def test_a_reader_is_blinded(any_store, protocol, advice):
    study = open_study(any_store, protocol, {i: make_advice("nv", really="mel") for i in advice})
    token = join_study(any_store, study.code, "Anna", consent=True)
    keys = set()
    for _ in range(10):
        reading = next_reading(any_store, study.code, token)
        text = repr(reading)
        assert not [
            mark for mark in ("ISIC", "histo", "truth", "A mel.", "A nv.", "repeat", "really='mel'") if mark in text
        ]
        keys.add(reading.photo_key)
        answer_reading(any_store, study.code, token, reading.place, answers())
    assert len(keys) == 10, "a repeated photo has another key"


def test_each_arm_shows_what_the_protocol_says(any_store, advice):
    protocol = protocol_from_record(record(order={"design": "sequential"}, arms=arms(shows=["facts", "network"])))
    study = open_study(any_store, protocol, advice)
    token = join_study(any_store, study.code, "Anna", consent=True)
    bare = next_reading(any_store, study.code, token)
    assert (bare.facts, bare.network, bare.map) == (None, None, False)
    advised = answer_reading(any_store, study.code, token, 0, answers())
    assert advised.facts is not None and advised.network.answer == "nv" and not advised.map


def test_photos_of_other_readings_are_not_sent(any_store, protocol, advice):
    study = open_study(any_store, protocol, advice)
    token = join_study(any_store, study.code, "Anna", consent=True)
    eve = join_study(any_store, study.code, "Eve", consent=True)
    key = next_reading(any_store, study.code, token).photo_key
    salt, number = any_store.read(
        lambda s: (s.query(StudyRow.salt).scalar(), s.query(ReaderRow.id).order_by(ReaderRow.id).first()[0])
    )
    assert key == photo_key(salt, f"{number}/0")
    for who, wanted in ((token, photo_key(salt, f"{number}/1")), (eve, key), ("x", key), (token, "ISIC_0000001")):
        with pytest.raises(Refused):
            find_study_photo(any_store, study.code, who, wanted)


def test_joining_a_study(any_store, protocol, advice):
    study = open_study(any_store, protocol, advice)
    with pytest.raises(Refused, match="consent"):
        join_study(any_store, study.code, "Anna")
    with pytest.raises(Refused, match="consent"):
        join_study(any_store, study.code, "Anna", consent="yes")
    token = make_secret()
    assert join_study(any_store, study.code, "Anna", consent=True, token=token) == token
    assert join_study(any_store, study.code, "Anna", consent=True, token=token) == token
    with pytest.raises(Refused, match="taken"):
        join_study(any_store, study.code.lower(), "ANNA", consent=True)
    with pytest.raises(Refused, match="no study"):
        join_study(any_store, "XXXXX", "Bert", consent=True)
    with pytest.raises(Refused, match="Expected one of: student"):
        join_study(any_store, study.code, "Bert", consent=True, experience="lots")


def test_a_study_asks_for_its_own_secret(any_store, protocol, advice):
    study, other = (open_study(any_store, protocol, advice) for _ in range(2))
    token = join_study(any_store, study.code, "Anna", consent=True)
    for secret in ("", None, token, other.secret):
        for attack in (close_study, delete_study, study_progress, export_isic, export_imrmc, analyse_study):
            with pytest.raises(Refused, match="secret"):
                attack(any_store, study.code, secret)
    close_study(any_store, study.code, study.secret)
    for attack in (
        lambda: next_reading(any_store, study.code, token),
        lambda: answer_reading(any_store, study.code, token, 0, answers()),
        lambda: join_study(any_store, study.code, "Bert", consent=True),
    ):
        with pytest.raises(Refused, match="closed"):
            attack()
    assert analyse_study(any_store, study.code, study.secret).test is None
    delete_study(any_store, study.code, study.secret)
    assert any_store.read(lambda s: (s.query(StudyRow).count(), s.query(ReaderRow).count())) == (1, 0)


def test_a_study_needs_the_networks_answer_to_every_case(any_store, protocol, advice):
    with pytest.raises(Refused, match="to 8 of 8 cases"):
        open_study(any_store, protocol)
    plain = protocol_from_record(record(arms=[{"name": "alone", "shows": []}]))
    study = open_study(any_store, plain)
    assert analyse_study(any_store, study.code, study.secret).problem.startswith("The study has one arm")
    export_imrmc(any_store, study.code, study.secret)
    export_isic(any_store, study.code, study.secret)


def test_the_example_of_the_docs_is_a_protocol():
    """What docs/teaching.md shows is what `read_protocol` takes, with cases filled in."""
    from pathlib import Path

    text = (Path(__file__).resolve().parents[2] / "docs" / "teaching.md").read_text(encoding="utf-8")
    example = json.loads(text.split("```json")[1].split("```")[0])
    protocol = protocol_from_record(example | {"cases": record()["cases"]})
    assert [arm.name for arm in protocol.arms] == ["without AI", "with AI"]
    assert set(CODES)
