"""Rooms in a database: joining, voting, leading, results; bad requests end in a sentence and lose nothing."""

import csv
import io
import threading
from dataclasses import replace

import pytest
from made_up_teaching import make_advice, make_cases

from core.teaching.credentials import hash_secret, make_secret
from core.teaching.people import Refused
from core.teaching.rooms import lead
from core.teaching.rooms.door import join_room, open_room
from core.teaching.rooms.look import find_case_photo, look, room_version
from core.teaching.rooms.own import own_answers
from core.teaching.rooms.results import export_votes, room_results
from core.teaching.rooms.steps import ARMS, RELIANCE_LESSON, WITH_AI, WITHOUT_AI
from core.teaching.rooms.votes import cast_vote
from core.teaching.store.clock import Clock
from core.teaching.store.database import Store
from core.teaching.store.place import database_url
from core.teaching.store.tables import RoomCaseRow, RoomRow, StudentRow, VoteRow


def sentence(error) -> str:
    said = str(error.value)
    assert said[-1] in ".:" and len(said.splitlines()) == 1
    return said


def to_step(store, room, name):
    """Leads the room on to the next step of this name."""
    view = lead.step_on(store, room.code, room.secret)
    while view.step != name:
        view = lead.step_on(store, room.code, room.secret)
    return view


@pytest.fixture
def room(any_store, cases, advice):
    return open_room(any_store, cases, advice, steps=RELIANCE_LESSON)


def test_a_lesson_from_beginning_to_end(any_store, room, cases):
    store = any_store
    anna, bert = (join_room(store, room.code.lower(), name) for name in ("Anna", "Bert"))
    # truths nv mel nv bcc; the network says nv nv nv mel
    plan = {
        "Anna": (anna, [("nv", "nv"), ("mel", "nv"), ("mel", "nv"), ("bcc", "bcc")]),
        "Bert": (bert, [("mel", "mel"), ("mel", "mel"), ("nv", "nv"), ("bkl", "mel")]),
    }
    for position in range(len(cases)):
        to_step(store, room, "vote")
        for who, answers in plan.values():
            assert look(store, room.code, who.token).open_round == 1
            cast_vote(store, room.code, who.token, position, 1, answers[position][0], 80, 4200)
        assert look(store, room.code, room.secret).answered == 2
        to_step(store, room, "second vote")
        for who, answers in plan.values():
            cast_vote(store, room.code, who.token, position, 2, answers[position][1], 60, 2000)
        to_step(store, room, "truth")
        assert look(store, room.code, anna.token).truth == cases.cases[position].truth
    found = room_results(store, room.code, room.secret)
    assert (found.students, found.voters, len(found.answered)) == (2, 2, 8)
    assert found.reliance.over_reliant == {"Anna": ("ISIC_0000001",)}
    assert found.reliance.under_reliant == {"Bert": ("ISIC_0000000",)}
    assert (found.reliance.followed_wrong.hits, found.reliance.followed_wrong.of) == (2, 4)
    assert (found.reliance.ignored_right.hits, found.reliance.ignored_right.of) == (1, 4)
    assert (found.reliance.right_before.hits, found.reliance.right_after.hits) == (5, 5)
    assert found.cases[1].tally == {1: {"mel": 2}, 2: {"nv": 1, "mel": 1}}
    assert (found.before.sensitivity.hits, found.before.sensitivity.of) == (2, 2)
    assert (found.before.specificity.hits, found.before.specificity.of) == (4, 6)
    assert (found.network.sensitivity.hits, found.network.sensitivity.of) == (0, 1)
    assert (found.network.specificity.hits, found.network.specificity.of) == (2, 3)
    rows = list(csv.DictReader(io.StringIO(export_votes(store, room.code, room.secret).decode("utf-8-sig"))))
    assert len(rows) == 16
    assert [int(r["sequence"]) for r in rows] == sorted(int(r["sequence"]) for r in rows)
    lead.end_room(store, room.code, room.secret)
    with pytest.raises(Refused) as error:
        cast_vote(store, room.code, anna.token, 3, 2, "nv", 50)
    assert "already" in sentence(error)


def test_a_student_sees_the_own_answers_once_the_truth_is_told(any_store, room):
    anna, bert = (join_room(any_store, room.code, name) for name in ("Anna", "Bert"))
    to_step(any_store, room, "vote")
    for who, said in ((anna, "mel"), (bert, "nv")):
        cast_vote(any_store, room.code, who.token, 0, 1, said, 60)
    to_step(any_store, room, "second vote")
    cast_vote(any_store, room.code, anna.token, 0, 2, "nv", 70)
    assert own_answers(any_store, room.code, anna.token) == ()
    to_step(any_store, room, "truth")
    (mine,) = own_answers(any_store, room.code, anna.token)
    assert (mine.person, mine.truth, mine.first, mine.advice, mine.last) == ("Anna", "nv", "mel", "nv", "nv")
    (his,) = own_answers(any_store, room.code, bert.token)
    assert (his.first, his.second, his.advice) == ("nv", None, None)
    for token in (None, "x", room.secret):
        with pytest.raises(Refused):
            own_answers(any_store, room.code, token)


def test_students_take_the_arms_in_turn_and_only_those_with_ai_count_for_reliance(any_store, cases, advice):
    room = open_room(any_store, cases, advice, steps=RELIANCE_LESSON, arms=ARMS)
    people = [join_room(any_store, room.code, f"S{n}") for n in range(4)]
    assert [p.arm for p in people] == [WITH_AI, WITHOUT_AI] * 2
    to_step(any_store, room, "vote")
    for p in people:
        cast_vote(any_store, room.code, p.token, 0, 1, "mel", 70)
    to_step(any_store, room, "second vote")
    assert [look(any_store, room.code, p.token).network is not None for p in people] == [True, False] * 2
    for p in people:
        cast_vote(any_store, room.code, p.token, 0, 2, "nv", 70)
    assert room_results(any_store, room.code, room.secret).reliance.switched.of == 2


def test_secrets_are_kept_as_hashes_only(any_store, room):
    ticket = join_room(any_store, room.code, "Anna")
    stored = any_store.read(
        lambda s: [str(vars(row)) for kind in (RoomRow, RoomCaseRow, StudentRow) for row in s.query(kind)]
    )
    assert not [row for row in stored if room.secret in row or ticket.token in row]
    assert any(hash_secret(room.secret) in row for row in stored)


# ---- who may do what ----


@pytest.mark.parametrize("wrong", ["", "x", None, "the students'", "another room's"])
def test_a_teachers_control_asks_for_the_rooms_own_secret(any_store, cases, room, wrong):
    student = join_room(any_store, room.code, "Anna")
    other = open_room(any_store, cases)
    secret = {"the students'": student.token, "another room's": other.secret}.get(wrong, wrong)
    attacks = [
        lambda: lead.step_on(any_store, room.code, secret),
        lambda: lead.step_back(any_store, room.code, secret),
        lambda: lead.go_to(any_store, room.code, secret, 0, "truth"),
        lambda: lead.end_room(any_store, room.code, secret),
        lambda: lead.delete_room(any_store, room.code, secret),
        lambda: lead.set_advice(any_store, room.code, secret, {}),
        lambda: room_results(any_store, room.code, secret),
        lambda: export_votes(any_store, room.code, secret),
    ]
    for attack in attacks:
        with pytest.raises(Refused) as error:
            attack()
        assert "secret" in sentence(error)
    assert look(any_store, room.code).step == "photo"


def test_a_stranger_sees_only_that_there_is_a_room(any_store, cases, room):
    other = open_room(any_store, cases)
    foreign = join_room(any_store, other.code, "Eve")
    for token in (None, "", "x", foreign.token, other.secret):
        view = look(any_store, room.code, token)
        assert (view.photo_key, view.facts, view.truth, view.title, view.network, view.tally) == (None,) * 6
        with pytest.raises(Refused):
            cast_vote(any_store, room.code, token, 0, 1, "nv", 50)


def test_photos_are_found_by_keys_that_tell_nothing_and_only_once_shown(any_store, room, cases):
    student = join_room(any_store, room.code, "Anna")
    key = look(any_store, room.code, student.token).photo_key
    assert "ISIC" not in key
    assert find_case_photo(any_store, room.code, student.token, key) == cases.cases[0]
    lead.go_to(any_store, room.code, room.secret, 2)
    later = look(any_store, room.code, room.secret).photo_key
    lead.go_to(any_store, room.code, room.secret, 0)
    assert find_case_photo(any_store, room.code, student.token, later) == cases.cases[2], "it has been shown"
    last = [find_case_photo(any_store, room.code, room.secret, k).id for k in (key, later)]
    assert last == ["ISIC_0000000", "ISIC_0000002"]
    for token, wanted in (
        (None, key),
        ("x", key),
        (student.token, "ISIC_0000001"),
        (student.token, ""),
        (student.token, "0" * 24),
    ):
        with pytest.raises(Refused):
            find_case_photo(any_store, room.code, token, wanted)


def test_a_photo_that_was_not_shown_yet_is_not_sent(any_store, room, cases):
    from core.teaching.credentials import photo_key

    student = join_room(any_store, room.code, "Anna")
    salt = any_store.read(lambda s: s.query(RoomRow.salt).scalar())
    with pytest.raises(Refused, match="not shown"):
        find_case_photo(any_store, room.code, student.token, photo_key(salt, 1))
    assert find_case_photo(any_store, room.code, room.secret, photo_key(salt, 1)) == cases.cases[1]


# ---- joining ----


def test_a_join_that_is_sent_again_is_the_same_student(any_store, room):
    token = make_secret()
    first = join_room(any_store, room.code, "Anna", token=token)
    assert join_room(any_store, room.code, "Anna", token=token) == first
    assert join_room(any_store, room.code, "Another name", token=token) == first
    assert look(any_store, room.code).students == 1


@pytest.mark.parametrize("taken", ["anna", "ANNA", " Anna ", "Ａｎｎａ", "An\u200dna"])
def test_a_nickname_is_free_within_its_room(any_store, room, cases, taken):
    join_room(any_store, room.code, "Anna")
    with pytest.raises(Refused, match="taken"):
        join_room(any_store, room.code, taken)
    join_room(any_store, open_room(any_store, cases).code, taken)


def test_nicknames_that_are_none(any_store, room):
    for wrong in ("", "   ", "x" * 31, "a\u202eb", "a\x00b", None, 7, "a\ud800", "\u200d \u200d"):
        with pytest.raises(Refused):
            join_room(any_store, room.code, wrong)


def test_nicknames_of_every_kind(any_store, room):
    for nickname in ("Zoë", "李", "🦊", "👩\u200d⚕️", "می\u200cخواهم", "O'Brien; DROP TABLE rooms", "<b>x</b>", "=1+1"):
        assert join_room(any_store, room.code, nickname).nickname == nickname


def test_codes_as_people_type_them(any_store, cases):
    room = open_room(any_store, cases, code="k7pxc")
    assert room.code == "K7PXC"
    for n, typed in enumerate(("K7PXC", "k7pxc", " k7-pxc ", "K7 PXC")):
        join_room(any_store, typed, f"Student {n}")


@pytest.mark.parametrize("typed", ["", "XXXXX", None, "K7PXC" * 100, "'; --", "ﬁ½"])
def test_a_code_that_no_room_has(any_store, typed):
    with pytest.raises(Refused) as error:
        join_room(any_store, typed, "Anna")
    assert "There is no room" in sentence(error)


def test_a_taken_code(any_store, cases):
    open_room(any_store, cases, code="KLASSE")
    with pytest.raises(Refused) as error:
        open_room(any_store, cases, code="klasse")
    assert "taken" in sentence(error)


@pytest.mark.parametrize("code", ["a", "abc", "x" * 13, "a b!", "a-b-c-d"])
def test_codes_that_cannot_be(any_store, cases, code):
    with pytest.raises(Refused, match="cannot be a code"):
        open_room(any_store, cases, code=code)


def test_a_full_room(any_store, cases, monkeypatch):
    monkeypatch.setattr("core.teaching.rooms.door.MOST_STUDENTS", 2)
    room = open_room(any_store, cases)
    tokens = [join_room(any_store, room.code, f"S{n}").token for n in range(2)]
    with pytest.raises(Refused, match="full"):
        join_room(any_store, room.code, "late")
    assert join_room(any_store, room.code, "S0", token=tokens[0]).nickname == "S0"


# ---- votes ----


def test_a_vote_sent_twice_is_one_vote(any_store, room):
    anna = join_room(any_store, room.code, "Anna")
    to_step(any_store, room, "vote")
    first = cast_vote(any_store, room.code, anna.token, 0, 1, "nv", 80, 1000)
    again = cast_vote(any_store, room.code, anna.token, 0, 1, "nv", 80, 9000)
    assert (first.again, again.again, again.number) == (False, True, first.number)
    with pytest.raises(Refused) as error:
        cast_vote(any_store, room.code, anna.token, 0, 1, "mel", 80)
    assert "already" in sentence(error)
    to_step(any_store, room, "truth")
    assert cast_vote(any_store, room.code, anna.token, 0, 1, "nv", 80).again, "the phone did not hear the first answer"
    assert any_store.read(lambda s: s.query(VoteRow).count()) == 1


def test_a_vote_at_the_wrong_time_or_for_another_case(any_store, room):
    anna = join_room(any_store, room.code, "Anna")

    def refused(position, number):
        with pytest.raises(Refused) as error:
            cast_vote(any_store, room.code, anna.token, position, number, "nv", 80)
        return sentence(error)

    assert "has not begun" in refused(0, 1)
    to_step(any_store, room, "vote")
    assert "the vote on case 2 is not kept" in refused(1, 1)
    assert "has not begun" in refused(0, 2)
    assert "no such vote" in refused(0, 3)
    to_step(any_store, room, "network")
    assert "is over" in refused(0, 1)
    lead.go_to(any_store, room.code, room.secret, 0, "vote")
    assert "is over" in refused(0, 1), "the class has seen the network's answer"
    lead.end_room(any_store, room.code, room.secret)
    assert "over" in refused(0, 1)


NO_VOTES = (
    *(("naevus", 50, 0, 1), ("", 50, 0, 1), (None, 50, 0, 1), ("nv", -1, 0, 1), ("nv", 101, 0, 1), ("nv", 49.5, 0, 1)),
    *(("nv", True, 0, 1), ("nv", "50", 0, 1), ("nv", float("nan"), 0, 1), ("nv", None, 0, 1), ("nv", 50, True, 1)),
    *(
        ("nv", 50, -1, 1),
        ("nv", 50, "0", 1),
        ("nv", 50, 10**12, 1),
        ("nv", 50, 0, "1; DROP TABLE votes"),
        ("nv", 50, 0, None),
    ),
)


def test_votes_that_are_none(any_store, room):
    anna = join_room(any_store, room.code, "Anna")
    to_step(any_store, room, "vote")
    for diagnosis, confidence, position, number in NO_VOTES:
        with pytest.raises(Refused):
            cast_vote(any_store, room.code, anna.token, position, number, diagnosis, confidence)
    assert any_store.read(lambda s: s.query(VoteRow).count()) == 0


def test_an_odd_clock_of_a_phone_costs_no_vote(any_store, room):
    odd = (-5, float("inf"), float("nan"), "soon", None, 10**15)
    people = [join_room(any_store, room.code, f"S{n}") for n in range(len(odd))]
    to_step(any_store, room, "vote")
    for who, milliseconds in zip(people, odd, strict=True):
        cast_vote(any_store, room.code, who.token, 0, 1, "nv", 50, milliseconds)
    assert any_store.read(lambda s: s.query(VoteRow.milliseconds).distinct().all()) == [(None,)]


# ---- leading ----


def test_two_quick_clicks_are_one_step(any_store, room):
    seen = look(any_store, room.code, room.secret).version
    assert lead.step_on(any_store, room.code, room.secret, seen).step == "facts"
    assert lead.step_on(any_store, room.code, room.secret, seen).step == "facts"
    assert room_version(any_store, room.code) == seen + 1


def test_on_and_back_over_all_cases(any_store, room, cases):
    places = []
    for _ in range(len(cases) * len(RELIANCE_LESSON) + 3):
        view = look(any_store, room.code, room.secret)
        places.append((view.position, view.step))
        lead.step_on(any_store, room.code, room.secret)
    assert places[:8] == [(0, s) for s in RELIANCE_LESSON] + [(1, "photo")]
    assert places[-1] == (3, "truth")
    assert lead.step_back(any_store, room.code, room.secret).step == "second vote"
    lead.go_to(any_store, room.code, room.secret, 1)
    assert lead.step_back(any_store, room.code, room.secret).position == 0
    lead.go_to(any_store, room.code, room.secret, 0)
    assert lead.step_back(any_store, room.code, room.secret).step == "photo"


def test_a_place_that_there_is_not(any_store, room):
    for position, step in ((4, "photo"), (-1, "photo"), ("0", "photo"), (0, "answer"), (None, "photo")):
        with pytest.raises(Refused):
            lead.go_to(any_store, room.code, room.secret, position, step)


def test_the_networks_answer_can_come_later_but_not_change_once_seen(any_store, cases):
    room = open_room(any_store, cases)
    student = join_room(any_store, room.code, "Anna")
    lead.set_advice(any_store, room.code, room.secret, {"ISIC_0000000": make_advice("mel")})
    to_step(any_store, room, "network")
    assert look(any_store, room.code, student.token).network.answer == "mel"
    with pytest.raises(Refused, match="stays as it is"):
        lead.set_advice(any_store, room.code, room.secret, {"ISIC_0000000": make_advice("nv")})


def test_a_room_that_is_over(any_store, room):
    lead.end_room(any_store, room.code, room.secret)
    lead.end_room(any_store, room.code, room.secret)
    with pytest.raises(Refused, match="over"):
        join_room(any_store, room.code, "late")
    with pytest.raises(Refused, match="over"):
        lead.step_on(any_store, room.code, room.secret)
    room_results(any_store, room.code, room.secret)


# ---- what goes ----


def count(store):
    return store.read(lambda s: tuple(s.query(kind).count() for kind in (RoomRow, RoomCaseRow, StudentRow, VoteRow)))


def test_deleting_a_room_deletes_its_answers_and_no_others(any_store, cases, room):
    other = open_room(any_store, cases)
    for one in (room, other):
        anna = join_room(any_store, one.code, "Anna")
        to_step(any_store, one, "vote")
        cast_vote(any_store, one.code, anna.token, 0, 1, "nv", 80)
    assert count(any_store) == (2, 8, 2, 2)
    lead.delete_room(any_store, room.code, room.secret)
    assert count(any_store) == (1, 4, 1, 1)
    with pytest.raises(Refused, match="no room"):
        look(any_store, room.code, room.secret)


def test_a_room_goes_after_its_time(address, cases):
    steady = [0.0]
    store = Store(database_url(address), clock=Clock(steady=lambda: steady[0]))
    room = open_room(store, cases, kept_days=2)
    join_room(store, room.code, "Anna")
    steady[0] = 1.9 * 24 * 3600
    assert store.purge() == 0
    steady[0] = 2.1 * 24 * 3600
    with pytest.raises(Refused, match="over"):
        join_room(store, room.code, "late")
    open_room(store, cases)
    assert count(store)[0] == 1
    with pytest.raises(Refused, match="no room"):
        look(store, room.code)
    store.close()


@pytest.mark.parametrize("kept_days", [0, -1, 400, float("nan")])
def test_a_time_that_cannot_be(any_store, cases, kept_days):
    with pytest.raises(Refused):
        open_room(any_store, cases, kept_days=kept_days)


def test_no_arm_and_too_many_cases(any_store, cases):
    for arms in ((), ("with magic",), (WITH_AI, WITH_AI)):
        with pytest.raises(Refused):
            open_room(any_store, cases, arms=arms)
    with pytest.raises(Refused, match="100 at most"):
        open_room(any_store, make_cases(["nv"] * 101))


# ---- a full lecture hall ----


@pytest.mark.slow
def test_sixty_students_ten_cases_none_lost_with_a_restart_in_between(address):
    cases = make_cases(["nv", "mel"] * 5, "Ten cases")
    store = Store(database_url(address))
    room = open_room(store, cases, {case.id: make_advice("nv") for case in cases.cases})
    people = [None] * 60
    faults: list = []

    def each(work):
        threads = [threading.Thread(target=guarded, args=(work, n)) for n in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def guarded(work, n):
        try:
            work(n)
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    def joins(n):
        people[n] = join_room(store, room.code, f"Student {n}")

    def votes(n):
        view = look(store, room.code, people[n].token)
        assert view.open_round == 1
        for _ in range(1 + n % 2):  # every second phone sends it twice
            cast_vote(
                store, room.code, people[n].token, view.position, 1, "mel" if (n + view.position) % 3 else "nv", n
            )

    each(joins)
    assert not faults
    for position in range(10):
        to_step(store, room, "vote")
        each(votes)
        assert look(store, room.code, room.secret).answered == 60
        if position == 4:
            store.close()
            store = Store(database_url(address))
    assert not faults
    found = room_results(store, room.code, room.secret)
    assert len(found.answered) == 600
    assert {one.person for one in found.answered} == {f"Student {n}" for n in range(60)}
    for position, case in enumerate(found.cases):
        expected = sum((n + position) % 3 > 0 for n in range(60))
        assert case.tally[1] == {"mel": expected, "nv": 60 - expected}
    store.close()


def test_votes_and_the_teachers_step_at_the_same_moment(any_store, cases):
    """A vote counts or is refused; none is taken after the step and none that was taken is missing."""
    room = open_room(any_store, cases)
    people = [join_room(any_store, room.code, f"S{n}") for n in range(20)]
    to_step(any_store, room, "vote")
    taken, refused = [], []

    def vote(who):
        try:
            taken.append(cast_vote(any_store, room.code, who.token, 0, 1, "nv", 50).number)
        except Refused:
            refused.append(who)

    threads = [threading.Thread(target=vote, args=(who,)) for who in people]
    threads.insert(10, threading.Thread(target=lead.step_on, args=(any_store, room.code, room.secret)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) + len(refused) == 20
    assert look(any_store, room.code, room.secret).answered == len(taken)


def test_no_cell_of_an_export_is_a_formula(any_store, cases, advice):
    named = replace(cases, title="=cmd()")
    room = open_room(any_store, named, advice)
    for nickname in ("=1+1", "+A1", "-2+3", "@sum", " =3"):
        who = join_room(any_store, room.code, nickname)
        if look(any_store, room.code).step == "photo":
            to_step(any_store, room, "vote")
        cast_vote(any_store, room.code, who.token, 0, 1, "nv", 50)
    text = export_votes(any_store, room.code, room.secret).decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert "'=1+1" in cells


def test_one_phone_that_sends_the_same_vote_many_times_at_once(any_store, room):
    anna = join_room(any_store, room.code, "Anna")
    to_step(any_store, room, "vote")
    receipts, faults = [], []

    def vote():
        try:
            receipts.append(cast_vote(any_store, room.code, anna.token, 0, 1, "nv", 50))
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=vote) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len({receipt.number for receipt in receipts}) == 1
    assert sum(not receipt.again for receipt in receipts) == 1
