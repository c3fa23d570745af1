"""What the tests of pages do and look at."""

import io
import json

from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data.drawn import draw_lesion


def picture_bytes(code: str = "nv", format: str = "PNG", size: tuple[int, int] = (120, 90)) -> bytes:
    """A drawn lesion as the bytes of a file."""
    file = io.BytesIO()
    Image.fromarray(draw_lesion(code, size)[0]).save(file, format)
    return file.getvalue()


def upload(app: AppTest, content: bytes, name: str = "lesion.png", kind: str = "image/png") -> AppTest:
    app.file_uploader[0].set_value((name, content, kind))
    return app.run()


def words(app: AppTest) -> str:
    """All that a page says in text."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.error, app.warning, app.info)
    return "\n".join(element.value for kind in kinds for element in kind)


def viewer(app: AppTest) -> dict | None:
    """What the viewer of photo and maps was given; None where it is not drawn."""
    for element in app.get("bidi_component"):
        proto = element.proto
        if proto.component_name == "melascope.viewer":
            return json.loads(proto.json)
    return None


def answer(app: AppTest) -> str:
    """The likeliest diagnosis's name, as the page says it."""
    return app.subheader[0].value.split(" · ")[0]
