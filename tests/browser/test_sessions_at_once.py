"""Sessions of one server at the same time: each is sent what one process alone reads, to the last digit. The visitors need no browser."""

import asyncio
import json

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.streamlit_client import Visitor
from core.bundle import load_bundle
from core.data.drawn import draw_lesion
from core.data.patient import Facts
from core.diagnoses import CODES
from core.explain.overlay import encode_png
from core.reading import read_lesion
from core.webapp.shared.charts import differential_chart

pytestmark = pytest.mark.timeout(600)
VISITORS = 30
WHOLE = Facts(age=60, sex="female", site="back")


def bars(figure: dict) -> list:
    """The chart's probabilities and what stands beside each."""
    return [figure["data"][0]["x"], figure["data"][0]["customdata"]]


async def read_at(address: str, photo: bytes, number: int) -> list:
    """What a visitor is sent of a photo after giving the facts."""
    visitor, specs = Visitor(address), []

    def keep(message: bytes) -> bool:
        told = ForwardMsg.FromString(message).delta.new_element
        if told.WhichOneof("type") == "plotly_chart" and "Differential" in message.decode("utf-8", "ignore"):
            specs.append(json.loads(told.plotly_chart.spec))
        return False

    await visitor.come()
    await visitor.upload("uploader", f"{number}.png", photo)
    await visitor.rerun()
    visitor.set("-age", double_value=WHOLE.age)
    visitor.set("-sex", string_value=WHOLE.sex)
    visitor.set("-site", string_value=WHOLE.site)
    await visitor.rerun(keep)
    await visitor.leave()
    return bars(specs[-1])


@pytest.mark.slow
def test_sessions_at_once_are_sent_what_one_reads_alone(drawn_bundle_folder, server):
    photos = [draw_lesion(CODES[seed % 7], (120, 90), seed=seed)[0] for seed in range(VISITORS)]

    async def read_all() -> list:
        address = server.removeprefix("http://")
        return await asyncio.gather(*(read_at(address, encode_png(p), i) for i, p in enumerate(photos)))

    sent = asyncio.run(read_all())
    bundle = load_bundle(drawn_bundle_folder)
    alone = [differential_chart(read_lesion(bundle, photo, WHOLE).probabilities) for photo in photos]
    assert sent == [bars(json.loads(str(figure.to_json()))) for figure in alone]
    assert len({str(one) for one in sent}) == VISITORS
