"""What students see: attacked from every side. Nobody sees truth, votes, the network's answer or other cases before their time."""

from dataclasses import asdict, fields, replace
from itertools import combinations

import pytest
from made_up_teaching import make_advice

from core.data.patient import Facts
from core.teaching.case_sets.record import TeachingCase
from core.teaching.rooms.room import Room, Student, Teacher, Visitor, Vote
from core.teaching.rooms.steps import ARMS, PLAIN_LESSON, RELIANCE_LESSON, STEPS, WITH_AI, WITHOUT_AI, check_steps
from core.teaching.rooms.visible import View, visible

CASE = TeachingCase(
    "ISIC_0099999",
    "df",
    "confocal",
    "CC0",
    "Somebody",
    Facts(77.0, "male", "scalp"),
    why="Because-of-this",
    group="Pair-9",
)
ANNA, BERT, CARL = Student(1, "Anna", WITH_AI), Student(2, "Bert", WITH_AI), Student(3, "Carl", WITHOUT_AI)
VOTES = (
    Vote(11, 1, 1, "akiec", 61, 5000),
    Vote(12, 2, 1, "vasc", 62, 5000),
    Vote(13, 1, 2, "bcc", 63, 5000),
    Vote(14, 3, 1, "bkl", 64, 5000),
)
# What each secret looks like wherever it may hide in a view.
SECRETS = {
    "truth": ("'df'", "confocal", "Because-of-this", "Dermatofibroma"),
    "network": ("Drawn", "0.71", "'nv'", "'akiec'"),
    "votes": ("vasc", "bkl", "62", "64"),
    "facts": ("77.0", "scalp"),
    "id": ("ISIC_0099999", "Pair-9", "Title-of-the-set"),
}


def room(steps, step, furthest=None, **further):
    made = Room(
        code="K7PXC",
        title="Title-of-the-set",
        steps=tuple(steps),
        arms=ARMS,
        position=3,
        step=step,
        furthest=step if furthest is None else furthest,
        over=False,
        version=17,
        cases=5,
        case=CASE,
        advice=make_advice("nv", 0.71, really="akiec"),
        photo_key="key-of-the-photo",
        votes=VOTES,
        students={1: "Anna", 2: "Bert", 3: "Carl"},
    )
    return replace(made, **further)


def every_lesson():
    """Every order of steps that a room can have."""
    middle = [name for name in STEPS if name not in ("photo", "truth")]
    for size in range(len(middle) + 1):
        for chosen in combinations(middle, size):
            try:
                yield check_steps(("photo", *chosen, "truth"))
            except ValueError:
                continue


def allowed(steps, step, who):
    """An independent reading of what the steps promise."""
    past = steps[: step + 1]
    told = "truth" in past
    with_ai = who.arm == WITH_AI
    return {
        "truth": told,
        "network": told or (with_ai and "network" in past),
        "votes": told,
        "facts": told or "facts" in past,
        "id": False,
    }


@pytest.mark.parametrize("who", [ANNA, BERT, CARL], ids=lambda who: who.nickname)
def test_no_student_finds_a_secret_anywhere_in_a_view_before_its_time(who):
    for steps in every_lesson():
        for step in range(len(steps)):
            for furthest in range(step, len(steps)):
                seen = visible(room(steps, step, furthest), who)
                # A student's own answers hold no secret, whatever words are in them, and the network's name all diagnoses.
                assert seen.network is None or seen.network.really is None or "truth" in steps[: step + 1]
                open_answer = allowed(steps, step, who)["network"]
                text = repr(asdict(replace(seen, own=(), network=None if open_answer else seen.network)))
                for what, marks in SECRETS.items():
                    if not allowed(steps, step, who)[what]:
                        assert not [mark for mark in marks if mark in text], (steps, step, what, text)


def test_every_field_of_a_view_is_closed_until_a_step_opens_it():
    """A field that somebody adds to `View` must not be filled for visitors without a thought."""
    outside = {"code", "position", "cases", "step", "over", "version", "students", "answered"}
    empty = {f.name: f.default for f in fields(View)}
    for steps in every_lesson():
        for step in range(len(steps)):
            seen = visible(room(steps, step), Visitor())
            assert {name for name, value in vars(seen).items() if name not in outside and value != empty[name]} == set()
            assert not any(mark in repr(seen) for marks in SECRETS.values() for mark in marks)


def test_what_each_step_of_the_plain_lesson_shows():
    seen = [visible(room(PLAIN_LESSON, step), ANNA) for step in range(len(PLAIN_LESSON))]
    assert [view.step for view in seen] == list(PLAIN_LESSON)
    assert all(view.photo_key == "key-of-the-photo" and view.licence == "CC0" for view in seen)
    assert [view.facts is not None for view in seen] == [False, True, True, True, True, True]
    assert [view.network is not None for view in seen] == [False, False, False, True, True, True]
    assert [view.map for view in seen] == [False, False, False, False, True, True]
    assert [view.truth for view in seen] == [None] * 5 + ["df"]
    assert [view.tally is not None for view in seen] == [False] * 5 + [True]
    assert seen[-1].tally == {1: {"akiec": 1, "vasc": 1, "bkl": 1}}
    assert [view.open_round for view in seen] == [0] * 6, "Anna has voted"
    nobody = Student(9, "Dora", WITH_AI)
    assert [visible(room(PLAIN_LESSON, step), nobody).open_round for step in range(6)] == [0, 0, 1, 0, 0, 0]


def test_a_student_sees_which_rounds_ended_without_an_answer():
    late = Student(9, "Dora", WITH_AI)
    seen = [visible(room(RELIANCE_LESSON, step), late).missed for step in range(len(RELIANCE_LESSON))]
    assert seen == [(), (), (), (1,), (1,), (1,), (1, 2)]
    assert visible(room(RELIANCE_LESSON, 2), late).missed == (), "it is open"
    assert visible(room(RELIANCE_LESSON, 2, over=True), late).missed == (1,)
    assert visible(room(RELIANCE_LESSON, 0, furthest=2), late).missed == (), "it opens again"
    assert visible(room(RELIANCE_LESSON, 0, furthest=3), late).missed == (1,)
    assert visible(room(PLAIN_LESSON, 5), ANNA).missed == ()


def test_those_without_ai_see_the_network_with_the_truth():
    seen = [visible(room(RELIANCE_LESSON, step), CARL) for step in range(len(RELIANCE_LESSON))]
    assert [view.network is not None for view in seen] == [False] * 6 + [True]
    assert [view.map for view in seen] == [False] * 6 + [True]


def test_that_an_answer_was_made_wrong_is_told_with_the_truth():
    for steps in every_lesson():
        for step, name in enumerate(steps):
            view = visible(room(steps, step), ANNA)
            assert view.faulty is (True if name == "truth" else None)
            if view.network is not None:
                assert view.network.faulty is (name == "truth")


def test_going_back_opens_no_vote_again():
    """Who has seen the network's answer can no longer give a first answer."""
    for furthest in range(2, len(PLAIN_LESSON)):
        view = visible(room(PLAIN_LESSON, 2, furthest), Student(9, "Dora", WITH_AI))
        assert view.open_round == (1 if furthest == 2 else 0)


def test_a_room_that_is_over_takes_no_votes_and_tells_its_title():
    view = visible(room(PLAIN_LESSON, 2, over=True), Student(9, "Dora", WITH_AI))
    assert view.open_round == 0
    assert view.title == "Title-of-the-set"


def test_the_teacher_sees_the_case_and_who_is_there():
    view = visible(room(PLAIN_LESSON, 0), Teacher())
    assert (view.truth, view.image_id, view.faulty) == ("df", "ISIC_0099999", True)
    assert view.nicknames == ("Anna", "Bert", "Carl")
    assert view.tally == {1: {"akiec": 1, "vasc": 1, "bkl": 1}}


@pytest.mark.parametrize("who", [None, "teacher", {"teacher": True}, Teacher, object()])
def test_nobody_else_sees_anything(who):
    with pytest.raises(TypeError):
        visible(room(PLAIN_LESSON, 5), who)


@pytest.mark.parametrize(
    "steps",
    [
        *((), ("photo",), ("truth",), ("truth", "photo"), ("photo", "truth", "truth"), ("photo", "photo", "truth")),
        *(("vote", "photo", "truth"), ("photo", "network", "vote", "truth"), ("photo", "truth", "vote")),
        *(("photo", "second vote", "truth"), ("photo", "vote", "second vote", "truth"), ("photo", "answer", "truth")),
    ],
)
def test_lessons_that_are_none(steps):
    with pytest.raises(ValueError, match="Expected|needs"):
        check_steps(steps)
