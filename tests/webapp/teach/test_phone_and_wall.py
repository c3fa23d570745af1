"""A class without a browser: who sees what on wall, desk and phones."""

import time

import pytest
import streamlit as st
from made_up import write_made_up_model
from made_up_teaching import make_advice
from teach_pages import press, words

from core.diagnoses import NAMES
from core.teaching.advice import Advice
from core.teaching.class_server import KEY_VARIABLE
from core.teaching.credentials import hash_secret
from core.teaching.guesses import Guesses
from core.teaching.rooms.door import join_room, open_room
from core.teaching.rooms.lead import delete_room, end_room, step_on
from core.teaching.rooms.look import look
from core.teaching.rooms.results import room_results
from core.teaching.store.database import StoreBusy
from core.webapp.teach.asking import the_store
from core.webapp.teach.room import wall as wall_page


def join(app, nickname):
    app.text_input[0].input(nickname)
    return press(app, "Join")


def on(room, times=1):
    for _ in range(times):
        step_on(the_store(), room.code, room.secret, look(the_store(), room.code, room.secret).version)


def test_a_student_joins_votes_and_sees_the_truth_when_the_class_does(window, room, cases):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    assert "case 1 of 3 · Photo" in words(phone)
    on(opened, 2)
    phone.run()
    phone.radio[0].set_value("nv")
    press(phone, "Send")
    assert f"You said: **{NAMES['nv']}**" in words(phone)
    before = words(phone)
    secret = (NAMES[cases.cases[0].truth] + "**, by", cases.cases[0].id[-7:], "blue veil", cases.title, "The network:")
    assert not [word for word in secret if word in before]
    on(opened, 4)
    phone.run()
    after = words(phone)
    assert f"**{NAMES[cases.cases[0].truth]}**, by" in after and "blue veil" in after and "The class" in after
    assert cases.cases[0].id[-7:] not in after, "an id is an address of the truth of the whole archive"
    end_room(the_store(), opened.code, opened.secret)
    phone.run()
    assert "Right at first: **" in words(phone)


def test_a_vote_without_a_diagnosis_asks_for_one_until_there_is_one(window, room):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    on(opened, 2)
    phone.run()
    press(phone, "Send")
    assert "Choose a diagnosis first." in words(phone.run()), "it stays while the phone polls"
    phone.radio[0].set_value("mel")
    press(phone, "Send")
    assert "It is kept" in words(phone) and "Choose a diagnosis" not in words(phone)


def test_phones_that_share_a_look_at_the_room_each_see_the_own_answer(window, room, cases, monkeypatch):
    """A room that was read for one phone a moment ago is shown to the next one, but never one of an earlier step."""
    monkeypatch.setattr("core.webapp.teach.asking.ASKED_EVERY", 0.5)
    opened = room()
    kept = {name: {"phone": name[0] * 48} for name in ("Ada", "Bo")}
    phones = {name: join(window(browser, room=opened.code), name) for name, browser in kept.items()}
    on(opened, 2)
    time.sleep(0.6)
    for (name, phone), code in zip(phones.items(), ("nv", "bcc"), strict=True):
        phone.run()
        phone.radio[0].set_value(code)
        assert f"You said: **{NAMES[code]}**" in words(press(phone, "Send")), name
    on(opened, 4)
    time.sleep(0.6)
    for phone, own, other in zip(phones.values(), ("nv", "bcc"), ("bcc", "nv"), strict=True):
        said = words(phone.run())
        assert f"**{NAMES[cases.cases[0].truth]}**, by" in said
        assert f"You said: **{NAMES[own]}**" in said and f"You said: **{NAMES[other]}**" not in said


def test_a_phone_that_comes_back_is_the_same_student(window, room):
    opened = room()
    join(window(room=opened.code), "Ada")
    again = window(room=opened.code.lower())
    assert "case 1 of 3" in words(again), "no nickname is asked twice"
    assert look(the_store(), opened.code, opened.secret).nicknames == ("Ada",)


def test_a_hostile_nickname_is_shown_as_text_on_the_wall(window, room):
    opened = room()
    join(window(room=opened.code), "<b>*x*</b>[a](//b.c) $y$")
    wall = window({f"teacher {opened.code}": opened.secret}, wall=opened.code)
    assert r"\<b\>\*x\*\</b\>\[a\]" in words(wall) and r"\$y\$" in words(wall)
    assert "<b>" not in words(wall) and not wall.exception


def test_two_arms_stand_side_by_side_on_the_wall(window, room):
    opened = room(arms=("with AI", "without AI"))
    phones = [window({"phone": str(n) * 48}, room=opened.code) for n in (1, 2)]
    for phone, nickname in zip(phones, ("Ada", "Bo"), strict=True):
        join(phone, nickname)
    on(opened, 3)
    wall = window({f"teacher {opened.code}": opened.secret}, wall=opened.code)
    assert {"**with AI**", "**without AI**"} <= {element.value for element in wall.markdown}
    assert "Photo and patient only." in words(wall)
    seen = [words(phone.run()) for phone in phones]
    assert ["The network:" in text for text in seen] == [True, False]


def test_the_wall_never_shows_what_students_may_not_see(window, room, cases):
    opened = room()
    on(opened)
    wall = window({f"teacher {opened.code}": opened.secret}, wall=opened.code)
    for _ in range(6):
        shown = words(wall)
        if "· Truth" not in shown:
            assert not [w for w in (cases.cases[0].id[-7:], "blue veil", cases.title, "**, by") if w in shown]
        wall = press(wall, "Next")
    assert f"Case 2 of {len(cases)}" in words(wall)


@pytest.mark.parametrize("place", ["wall", "desk"])
def test_neither_wall_nor_desk_opens_without_the_rooms_secret(window, room, place, cases):
    opened = room()
    token = join_room(the_store(), opened.code, "Ada").token
    for kept in ({}, {f"teacher {opened.code}": "guessed"}, {f"teacher {opened.code}": token}):
        page = window(kept, **{place: opened.code})
        assert page.error and not page.exception
        assert not [w for w in (cases.cases[0].id[-7:], "blue veil", cases.title, "Ada") if w in words(page)]


def test_the_desk_shows_live_votes_truth_and_results(window, room, cases):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    on(opened, 2)
    phone.run()
    phone.radio[0].set_value("nv")
    press(phone, "Send")
    desk = window({f"teacher {opened.code}": opened.secret}, desk=opened.code)
    assert f"**{NAMES[cases.cases[0].truth]}**, by" in words(desk)
    assert "**1 of 1** have answered" in words(desk)
    on(opened, 4)
    found = room_results(the_store(), opened.code, opened.secret)
    assert found.voters == 1


def test_wrong_codes_are_a_sentence_and_too_many_are_kept_waiting(window, room, monkeypatch):
    # The test driver's client has another address with each look.
    monkeypatch.setattr("core.webapp.teach.asking.client_address", lambda: "10.0.0.1")
    monkeypatch.setattr("core.webapp.teach.asking.Guesses", lambda: Guesses(most=3))
    opened = room()
    for _ in range(3):
        page = window(room="QQQQQ")
    assert "There is no room 'QQQQQ'" in words(page)
    assert "Too many wrong codes came from here" in words(window(room=opened.code)), "also for the right one"


def test_a_class_server_shows_its_sections_to_the_teacher_alone(window, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, hash_secret("the key of the class server"))
    student = window(section="Class")
    assert "Join a class" in words(student) and "Open a room" not in words(student)
    wrong = window({"class key": "guessed"})
    assert "Open a room" not in words(wrong)
    assert "Open a room" in words(window({"class key": "the key of the class server"}))


def test_a_room_that_was_deleted_while_a_phone_looks_is_a_sentence(window, room):
    opened = room()
    phone = join(window(room=opened.code), "Ada")
    delete_room(the_store(), opened.code, opened.secret)
    phone.run()
    assert "There is no room" in words(phone) and not phone.exception


def test_class_against_network_draws_the_rooms_own_network(window, room, cases, tmp_path, monkeypatch):
    """Its curve, though another network stands before it on the shelf."""
    for name in ("Another", "Ours"):
        write_made_up_model(tmp_path / "shelf", name)
    monkeypatch.setenv("MELASCOPE_WEIGHTS", str(tmp_path / "shelf"))
    opened = open_room(
        the_store(), cases, {c.id: Advice("Ours", make_advice("mel").probabilities) for c in cases.cases}
    )
    phone = join(window(room=opened.code), "Ada")
    on(opened, 2)
    phone.run()
    phone.radio[0].set_value("nv")
    press(phone, "Send")
    desk = window({f"teacher {opened.code}": opened.secret}, desk=opened.code)
    desk.button_group(key="desk part").set_value("Results")
    desk.run()
    drawn = str([chart.proto for chart in desk.get("plotly_chart")])
    assert "Ours, all held-out photos" in drawn and "Another" not in drawn


def test_a_click_on_the_wall_counts_though_its_run_ends_early(window, room, monkeypatch):
    """A whole run that meets the click's stops it; the class went on all the same."""
    opened = room()
    wall = window({f"teacher {opened.code}": opened.secret}, wall=opened.code)
    press(wall, "Next")  # from the door to the first case
    assert "Case 1 of" in words(wall)
    drawn = wall_page.project
    monkeypatch.setattr(wall_page, "_draw_case", lambda *args: st.stop())
    press(wall, "Next")
    assert drawn(the_store(), opened.code, opened.secret).view.step == "facts"


def test_the_same_click_twice_is_one_step(window, room):
    opened = room()
    wall = window({f"teacher {opened.code}": opened.secret}, wall=opened.code)
    press(wall, "Next")
    version = look(the_store(), opened.code, opened.secret).version
    on(opened)  # from the desk, while the wall still shows the step before
    wall_page._lead_on("next", opened.code, opened.secret, version)
    assert look(the_store(), opened.code, opened.secret).step == "facts"


def test_why_a_click_on_the_wall_did_nothing_is_said(window, room, monkeypatch):
    opened = room()
    wall = window({f"teacher {opened.code}": opened.secret}, wall=opened.code)
    press(wall, "Next")

    def busy(*args):
        raise StoreBusy("The database does not answer. Send the same again in a moment.")

    monkeypatch.setattr(wall_page, "step_on", busy)
    press(wall, "Next")
    assert "The database does not answer" in words(wall) and "Case 1 of" in words(wall), "and the case stays"
