"""Opening a room on the page, and what phones say when something is not as it should be: a sentence, and nothing lost."""

import pytest
from made_up_teaching import make_advice
from teach_pages import address, choose_set, press, words

from core.diagnoses import NAMES
from core.teaching.class_server import KEY_VARIABLE
from core.teaching.credentials import hash_secret
from core.teaching.rooms.lead import end_room, step_on
from core.teaching.rooms.look import look
from core.teaching.rooms.results import room_results
from core.webapp.teach.asking import the_store
from core.webapp.teach.browser import KEPT
from core.webapp.teach.pictures import chosen_folder


def on(room, times=1):
    for _ in range(times):
        step_on(the_store(), room.code, room.secret)


def join(app, nickname):
    app.text_input[0].input(nickname)
    return press(app, "Join")


@pytest.fixture
def opening(teacher, cases, monkeypatch):
    """The page on which a room is about to be opened."""
    advice = {case.id: make_advice("mel") for case in cases.cases}
    monkeypatch.setattr("core.webapp.teach.room.opening.gather_advice", lambda cases, name, shelf: advice)
    return choose_set(teacher(own=cases, section="Class"), "class", cases)


def test_a_teacher_opens_a_room_and_leads_it(opening, teacher, cases):
    desk = press(opening, "Open the room")
    code = address(desk, "desk")
    kept = desk.session_state["kept in the browser"]
    assert f"Room {code}: {cases.title}" in words(desk) and "Case **1 of 3**" in words(desk)
    press(desk, "Next")
    assert "**Patient**" in words(desk)
    rooms = teacher(kept, section="Class")
    assert f"**{code}**" in words(rooms)


def test_a_taken_code_is_a_sentence_and_the_first_room_stays(opening, room, cases):
    first = room(code="MOLES")
    opening.text_input(key="wanted code").input("moles")
    page = press(opening, "Open the room")
    assert "The code MOLES is taken by another room" in words(page) and not page.exception
    assert look(the_store(), first.code, first.secret).title == cases.title


@pytest.mark.parametrize("code", ["A B", "ab", "räume!"])
def test_a_code_that_cannot_be_is_a_sentence(opening, code):
    opening.text_input(key="wanted code").input(code)
    page = press(opening, "Open the room")
    assert "cannot be a code" in words(page) and not page.exception and "desk" not in page.query_params


def test_a_room_that_is_over_lets_nobody_in_and_keeps_what_was_said(window, room):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    on(opened, 2)
    phone.run()
    phone.radio[0].set_value("nv")
    press(phone, "Send")
    end_room(the_store(), opened.code, opened.secret)
    late = window({"phone": "7" * 48}, room=opened.code)
    assert "is over. Ask your teacher for a new code" in words(late) and not late.text_input
    assert "the lesson is over" in words(phone.run()) and f"**{NAMES['nv']}**" in words(phone)
    assert room_results(the_store(), opened.code, opened.secret).voters == 1


def test_a_vote_from_two_windows_of_one_phone_is_the_first(window, room):
    opened = room()
    join(window(room=opened.code), "Ada")
    on(opened, 2)
    both = [window(room=opened.code) for _ in range(2)]
    for phone, code in zip(both, ("nv", "mel"), strict=True):
        phone.radio[0].set_value(code)
    for phone in both:
        press(phone, "Send")
    assert f"You have answered case 1 already: {NAMES['nv']}" in words(both[1]) and not both[1].exception
    assert look(the_store(), opened.code, opened.secret).tally[1] == {"nv": 1}


def test_a_vote_that_comes_after_the_class_went_on_says_so(window, room):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    on(opened, 2)
    phone.run()
    phone.radio[0].set_value("nv")
    on(opened)
    press(phone, "Send")
    assert "Voting on case 1 is over" in words(phone) and not phone.exception
    assert "No answer of yours came in time" in words(phone)
    assert look(the_store(), opened.code, opened.secret).answered == 0


def test_a_vote_that_comes_at_the_next_case_says_so_there(window, room):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    on(opened, 2)
    phone.run()
    phone.radio[0].set_value("nv")
    on(opened, 5)
    press(phone, "Send")
    assert "case 2 of 3" in words(phone) and not phone.exception
    assert "at case 2 now; the vote on case 1 is not kept" in words(phone)
    on(opened, 2)
    phone.run()
    phone.radio[0].set_value("mel")
    press(phone, "Send")
    assert f"**{NAMES['mel']}**" in words(phone) and "is not kept" not in words(phone)


def test_a_nickname_that_is_too_long_is_a_sentence_and_one_of_signs_stands_as_typed(window, room):
    opened = room()
    phone = join(window(room=opened.code), "x" * 200)
    assert "The nickname has 200 characters. Expected at most 30" in words(phone) and not phone.exception
    join(phone, "<b>👩\u200d⚕️</b>")
    assert "case 1 of 3" in words(phone)
    assert look(the_store(), opened.code, opened.secret).nicknames == ("<b>👩\u200d⚕️</b>",)


def test_a_photo_that_was_removed_in_the_lesson_is_a_sentence_and_the_vote_counts(window, room, tmp_path, monkeypatch):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path))
    on(opened, 2)
    phone.run()
    assert "is not on the computer that runs the class" in words(phone)
    phone.radio[0].set_value("nv")
    press(phone, "Send")
    assert "It is kept" in words(phone)
    wall = window({f"teacher {opened.code}": opened.secret}, wall=opened.code)
    desk = window({f"teacher {opened.code}": opened.secret}, desk=opened.code)
    for page in (wall, desk):
        assert "is not on the computer that runs the class" in words(page) and not page.exception


def test_a_clock_that_jumps_costs_no_vote(window, room, monkeypatch):
    import time

    opened = room()
    phone = join(window(room=opened.code), "Ada")
    on(opened, 2)
    phone.run()
    now = time.time
    with monkeypatch.context() as clock:
        for jump in (-400 * 86_400, 400 * 86_400):
            clock.setattr(time, "time", lambda jump=jump: now() + jump)
            phone.run()
            assert "case 1 of 3 · Vote" in words(phone)
        phone.radio[0].set_value("nv")
        press(phone, "Send")
    assert look(the_store(), opened.code, opened.secret).answered == 1


def test_the_desk_asks_the_network_about_a_case_that_it_has_not_answered(window, room, cases, monkeypatch):
    opened = room(said=[])
    said = {cases.cases[0].id: make_advice("mel")}
    monkeypatch.setattr("core.webapp.teach.room.desk.gather_advice", lambda cases, name, shelf: said)
    desk = window({f"teacher {opened.code}": opened.secret}, desk=opened.code)
    assert "The network was not asked about this case" in words(desk)
    press(desk, "Ask about this case")
    assert f"The network: {NAMES['mel']}" in words(desk) and not desk.exception


def test_the_desk_offers_to_name_the_folder_of_a_photo_that_is_missing(window, room, tmp_path, monkeypatch, photos):
    opened = room()
    monkeypatch.setenv("HAM10000_DIR", str(tmp_path))
    desk = window({f"teacher {opened.code}": opened.secret}, desk=opened.code)
    assert "The photo of this case is not on the computer" in words(desk)
    desk.text_input(key="photo folder desk").input(str(photos))
    desk.run()
    assert "is not on the computer" not in words(desk) and not desk.exception


def test_a_folder_that_is_none_is_a_sentence_and_photos_stay(opening, photos):
    opening.text_input(key="photo folder class").input("/no/such/folder")
    opening.run()
    assert "There is no folder" in words(opening) and not opening.exception
    assert chosen_folder() == str(photos)


def test_a_phone_that_left_its_room_is_offered_the_way_back(window, room, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, hash_secret("the key of the class server"))
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    entrance = window(phone.session_state[KEPT])
    press(entrance, f"Back to room {opened.code}")
    assert "case 1 of 3" in words(entrance) and address(entrance, "room") == opened.code
    assert not [button for button in window().button if button.label.startswith("Back to room")]
