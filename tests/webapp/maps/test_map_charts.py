"""The figures on maps: the legend shows what the points look like."""

from core.estimates import Estimate
from core.webapp.maps.charts import CHANCE, COMPARED, SHOWN, dots_chart

SCORE = Estimate(0.5, 0.4, 0.7)
ABSENT = Estimate(None)
ROWS = {
    "Soft attention": [
        ("this photo's map", SCORE, *SHOWN),
        ("another's", SCORE, *COMPARED),
        ("chance", SCORE, *CHANCE),
    ],
    "Grad-CAM": [("this photo's map", SCORE, *SHOWN), ("another's", ABSENT, *COMPARED), ("chance", SCORE, *CHANCE)],
}


def test_every_point_looks_as_its_legend_does_and_each_quantity_is_named_once():
    traces = dots_chart(ROWS, "share", (0, 1)).data
    legend = {trace.name: trace.marker for trace in traces if trace.showlegend}
    assert set(legend) == {"this photo's map", "another's", "chance"}
    assert len({(marker.color, marker.symbol) for marker in legend.values()}) == 3
    assert all(trace.marker == legend[trace.name] for trace in traces)


def test_whiskers_end_where_the_interval_does_and_what_is_absent_is_not_drawn():
    traces = dots_chart(ROWS, "share", (0, 1)).data
    assert len(traces) == 5
    for trace in traces:
        assert trace.x[0] + trace.error_x.array[0] == 0.7 and round(trace.x[0] - trace.error_x.arrayminus[0], 9) == 0.4
