"""A browser's side of Streamlit's protocol without a browser: what a student's phone sends and receives, byte by byte.

It speaks what the page's own script speaks: a websocket, reruns with the state of the widgets, the page's pulse.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Callable

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

_WIDGETS = ("radio", "slider", "button", "text_input", "selectbox", "checkbox")
_ENDED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
PATIENCE = 60.0  # seconds


class Phone:
    """One browser window.

    Args:
        address: of the server, such as http://localhost:8501.
        query: of the page, such as room=K7PXC.
        kept: what this browser's storage holds; its secret is drawn when there is none.
    """

    def __init__(self, address: str, query: str, kept: dict[str, str] | None = None):
        self.address, self.query = address, query
        self.kept = {"phone": secrets.token_hex(24), **(kept or {})}
        self.received: list[bytes] = []
        self.keep_bytes = False
        self.messages = self.size = 0
        self._elements: dict[tuple, object] = {}
        self._fragments: dict[tuple, str] = {}
        self._seen: set[tuple] = set()
        self._states: dict[str, WidgetState] = {}
        self._pulse: asyncio.Task | None = None
        self._changed = asyncio.Event()
        self._told = False
        self._reader: asyncio.Task | None = None
        self._socket = None
        self.at = 0.0  # when the last message came

    # ---- the connection ----

    async def open(self) -> None:
        """Connects as a new visit and asks for the page."""
        self._elements, self._fragments, self._states, self._told = {}, {}, {}, False
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self._socket = await connect(
                    self.address.replace("http", "ws", 1) + "/_stcore/stream",
                    subprotocols=["streamlit"],
                    origin=self.address,
                    max_size=None,
                    open_timeout=20,
                )
                break
            except (OSError, ConnectionClosed, TimeoutError, EOFError):
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.3)
        self._reader = asyncio.create_task(self._read())
        await self._rerun()

    async def drop(self) -> None:
        """The phone loses its network: nothing is said to the server."""
        self._stop_pulse()
        if self._reader:
            self._reader.cancel()
        if self._socket and self._socket.transport:
            self._socket.transport.abort()

    @property
    def is_open(self) -> bool:
        return self._reader is not None and not self._reader.done()

    # ---- what it shows ----

    @property
    def text(self) -> str:
        """All words of the page as it is now."""
        found = []
        for element in list(self._elements.values()):
            for kind in ("markdown", "alert", "heading", "html", "text"):
                if element.WhichOneof("type") == kind:
                    found.append(getattr(getattr(element, kind), "body", ""))
        return "\n".join(found)

    @property
    def words(self) -> str:
        """The page's messages and the end of its text, for errors, without styles."""
        alerts = [e.alert.body for e in self._elements.values() if e.WhichOneof("type") == "alert"]
        lines = [
            line
            for line in self.text.split("\n")
            if line and "<" not in line and "{" not in line and ":is(" not in line
        ]
        forms = [label for label in ("Join", "Send", "Send the second answer") if self.widget(label)]
        return f"{alerts} {' / '.join(lines)[-300:]} {forms}"

    @property
    def pictures(self) -> list[str]:
        """Addresses of the pictures on the page."""
        return [
            image.url
            for element in list(self._elements.values())
            if element.WhichOneof("type") == "imgs"
            for image in element.imgs.imgs
        ]

    def widget(self, label: str) -> str | None:
        """Id of a widget by its label."""
        return self._find(label)[0]

    def _find(self, label: str) -> tuple[str | None, str]:
        """Id of a widget, and the fragment that it stands in."""
        for path, element in list(self._elements.items()):
            kind = element.WhichOneof("type")
            if kind in _WIDGETS and getattr(element, kind).label == label and not getattr(element, kind).disabled:
                return getattr(element, kind).id, self._fragments.get(path, "")
        return None, ""

    async def until(self, what: Callable[["Phone"], object], patience: float = PATIENCE) -> float:
        """Waits until the page shows something; returns when it did, by `time.perf_counter`."""
        end = time.monotonic() + patience
        while not what(self):
            self._changed.clear()
            left = end - time.monotonic()
            if left <= 0 or not self.is_open:
                raise TimeoutError(
                    f"{'The connection closed' if left > 0 else 'Too late'}; the page says: {self.words}"
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, 0.5))
        return self.at

    # ---- what it does ----

    async def fill(self, label: str, **value) -> None:
        """Sets a widget inside a form; it is sent with the form's button."""
        name = self.widget(label)
        self._states[name] = WidgetState(id=name, **value)

    async def press(self, label: str) -> None:
        """Clicks a button."""
        name, fragment = self._find(label)
        if name is None:
            raise LookupError(f"There is no button {label!r}; the page says: {self.words}")
        await self._rerun(fragment, WidgetState(id=name, trigger_value=True))

    async def vote(self, diagnosis: str, confidence: int, button: str = "Send") -> None:
        """Fills in the form of a vote, and sends it."""
        await self.fill("Your diagnosis", string_value=diagnosis)
        name = self.widget("How sure are you?")
        state = WidgetState(id=name)
        state.double_array_value.data.append(confidence)
        self._states[name] = state
        await self.press(button)

    # ---- the protocol ----

    async def _rerun(self, fragment: str = "", trigger: WidgetState | None = None) -> None:
        message = BackMsg()
        ask = message.rerun_script
        ask.query_string, ask.fragment_id, ask.is_auto_rerun = self.query, fragment, False
        ask.widget_states.widgets.extend(self._states.values())
        if trigger is not None:
            ask.widget_states.widgets.append(trigger)
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                self.messages, self.size = self.messages + 1, self.size + len(raw)
                if self.keep_bytes:
                    self.received.append(raw)
                await self._take(ForwardMsg.FromString(raw))
        except ConnectionClosed:
            pass
        finally:
            self._stop_pulse()
            self._changed.set()

    async def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._seen = set()
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            path = tuple(message.metadata.delta_path)
            self._elements[path] = message.delta.new_element
            self._fragments[path] = message.delta.fragment_id
            self._seen.add(path)
            await self._answer_keeper(message.delta.new_element)
            self._hear_pulse(message.delta)
        elif kind == "delta" and message.delta.WhichOneof("type") == "add_block":
            path = tuple(message.metadata.delta_path)
            self._elements.pop(path, None)
        elif kind == "script_finished" and message.script_finished in _ENDED:
            # What a run did not draw again is gone; the run of a fragment says nothing about the others.
            ran = set(message.metadata.run.fragment_ids)
            self._elements = {
                path: element
                for path, element in self._elements.items()
                if path in self._seen or (ran and self._fragments.get(path) not in ran)
            }
        self.at = time.perf_counter()
        self._changed.set()

    async def _answer_keeper(self, element) -> None:
        """Tells what the browser keeps, when the page asks."""
        if element.WhichOneof("type") != "bidi_component" or "keeper" not in element.bidi_component.component_name:
            return
        asked = json.loads(element.bidi_component.json or "{}")
        self.kept |= {k: v for k, v in (asked.get("writes") or {}).items() if v is not None}
        if not asked.get("told") and not self._told:
            self._told = True
            name = element.bidi_component.id
            self._states[name] = WidgetState(id=name, json_value=json.dumps({"kept": self.kept}))
            await self._rerun()

    def _hear_pulse(self, delta) -> None:
        """Asks again some time after an answer, and after a longer time though none came."""
        pulse = delta.new_element.bidi_component
        if delta.new_element.WhichOneof("type") != "bidi_component" or "pulse" not in pulse.component_name:
            return
        asked = json.loads(pulse.json)
        name = _make_trigger_id(pulse.id, "events")
        said = WidgetState(id=name, json_trigger_value=json.dumps([{"event": "beat", "value": asked["beats"]}]))

        async def beat(fragment: str) -> None:
            await asyncio.sleep(asked["seconds"])
            patience = asked["patience"]
            while True:
                await self._rerun(fragment, said)
                await asyncio.sleep(patience)
                patience = min(2 * patience, asked["longest"])

        self._stop_pulse()
        self._pulse = asyncio.create_task(beat(delta.fragment_id))

    def _stop_pulse(self) -> None:
        if self._pulse:
            self._pulse.cancel()
        self._pulse = None
