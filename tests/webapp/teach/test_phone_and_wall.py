"""A class without a browser: who sees what on wall, desk and phones."""

import pytest

from core.diagnoses import NAMES
from core.teaching.class_server import KEY_VARIABLE
from core.teaching.credentials import hash_secret
from core.teaching.guesses import Guesses
from core.teaching.rooms.door import join_room
from core.teaching.rooms.lead import delete_room, end_room, step_on
from core.teaching.rooms.look import look
from core.teaching.rooms.results import room_results
from core.webapp.teach.asking import the_store


def words(app) -> str:
    """All that a page says."""
    parts = [
        *app.markdown,
        *app.caption,
        *app.header,
        *app.subheader,
        *app.error,
        *app.info,
        *app.success,
        *app.warning,
    ]
    html = [element.proto.body for element in app.get("html")]
    return "\n".join([*(part.value for part in parts), *html])


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    return app.run()


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
    secret = (NAMES[cases.cases[0].truth] + "**, by", cases.cases[0].id, "blue veil", cases.title, "The network:")
    assert not [word for word in secret if word in before]
    on(opened, 4)
    phone.run()
    after = words(phone)
    assert f"**{NAMES[cases.cases[0].truth]}**, by" in after and "blue veil" in after and "The class" in after
    assert cases.cases[0].id not in after, "an id is an address of the truth of the whole archive"
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


def test_a_phone_that_comes_back_is_the_same_student(window, room):
    opened = room()
    join(window(room=opened.code), "Ada")
    again = window(room=opened.code.lower())
    assert "case 1 of 3" in words(again), "no nickname is asked twice"
    assert look(the_store(), opened.code, opened.secret).nicknames == ("Ada",)


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
            assert not [w for w in (cases.cases[0].id, "blue veil", cases.title, "**, by") if w in shown]
        wall = press(wall, "Next")
    assert f"Case 2 of {len(cases)}" in words(wall)


@pytest.mark.parametrize("place", ["wall", "desk"])
def test_neither_wall_nor_desk_opens_without_the_rooms_secret(window, room, place, cases):
    opened = room()
    token = join_room(the_store(), opened.code, "Ada").token
    for kept in ({}, {f"teacher {opened.code}": "guessed"}, {f"teacher {opened.code}": token}):
        page = window(kept, **{place: opened.code})
        assert page.error and not page.exception
        assert not [w for w in (cases.cases[0].id, "blue veil", cases.title, "Ada") if w in words(page)]


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
