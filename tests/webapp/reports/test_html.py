import re

import numpy as np

from core.diagnoses import CODES, NAMES
from core.webapp.reports.html import report_html
from core.webapp.reports.parts import Bars, Heading, Notice, Pictures, Rows, Text, encode_picture
from core.webapp.shared.frame import NOTICE

PARTS = [
    Heading("Answer <b>"),
    Text("Ünicode & <script>alert(1)</script>"),
    Notice("Beware"),
    Bars(dict(zip(CODES, [0.4, 0.3, 0.1, 0.1, 0.05, 0.05, 0.0], strict=True))),
    Rows(({"Age": "<i>", "Sex": None},)),
    Rows(()),
    Pictures(((np.zeros((30, 40, 3), "uint8"), 'a "photo"'),)),
]


def test_a_report_is_whole_in_itself_and_escapes_everything():
    text = report_html("Case <1>", PARTS)
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:)", text) and "http://" not in text and "https://" not in text
    assert "<script" not in text and "<b>" not in text and "<i>" not in text and "Ünicode &amp; &lt;script&gt;" in text
    assert 'alt="a &quot;photo&quot;"' in text and "default-src 'none'" in text
    assert NOTICE in text and all(name.replace("'", "&#x27;") in text for name in NAMES.values())
    assert text.index("Actinic") < text.index("Basal"), "the likeliest first"


def test_pictures_are_pixels_only_and_no_larger_than_needed():
    from io import BytesIO

    from PIL import Image

    picture = Image.open(BytesIO(encode_picture(np.full((2000, 1000, 3), 128, "uint8"))))
    assert picture.size == (450, 900) and not picture.getexif()


def test_a_notice_shows_a_command_as_one_and_nothing_else_of_it_as_markup():
    page = report_html("t", [Notice("Lacks gate.json; `python -m core measure gate` makes it, <b>not</b> `this`.")])
    assert "<code>python -m core measure gate</code> makes it, &lt;b&gt;not&lt;/b&gt; `this`" in page
