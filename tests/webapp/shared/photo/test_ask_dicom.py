"""A DICOM photo on a page: read, its header's facts shown and taken over only when asked, its patient nowhere."""

import pytest
from streamlit.testing.v1 import AppTest

pytest.importorskip("pydicom", reason="needs the extra dicom")

import made_up_dicom as made


def page():
    import streamlit as st

    from core.webapp.shared.photo.ask import ask_photo
    from core.webapp.shared.photo.facts import ask_facts

    photo = ask_photo()
    st.write(f"size {photo and photo.size}")
    st.write(f"facts {ask_facts()}")


def words(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info)
    assert not app.exception
    return "\n".join(element.value for kind in kinds for element in kind)


def upload(content: bytes) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60).run()
    app.file_uploader[0].set_value(("lesion.dcm", content, "application/dicom"))
    return app.run()


def test_the_header_s_facts_are_shown_and_taken_over_when_asked():
    ds = made.make_dataset()
    made.mark_everything(ds)
    app = upload(made.to_bytes(ds))
    said = words(app)
    assert "size 120 x 90 pixels" in said
    assert "The photo's DICOM header says: age 55, female, back." in said
    assert "facts Facts(age=None, sex='unknown', site='unknown')" in said
    assert made.MARKER not in said and made.BIRTHDAY not in said
    app.button(key="header facts").click().run()
    assert "facts Facts(age=55.0, sex='female', site='back')" in words(app)


def test_burned_in_text_is_refused_on_the_page():
    said = words(upload(made.to_bytes(made.make_dataset(BurnedInAnnotation="YES"))))
    assert "text is burned into its pixels" in said and "size None" in said


def test_of_several_frames_the_first_is_shown_and_that_is_said():
    import numpy as np

    said = words(upload(made.to_bytes(made.make_dataset(np.stack([made.lesion()] * 3)))))
    assert "It holds 3 frames; this is the first." in said
