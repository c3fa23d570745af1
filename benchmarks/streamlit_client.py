"""A visitor of a Streamlit app without a browser: a real websocket, real uploads, the messages that a browser sends."""

import asyncio
import time
from collections.abc import Callable

import httpx
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

COOKIE = "_streamlit_xsrf"


class Visitor:
    """One session with an app.

    Args:
        address: host:port of the server.
    """

    def __init__(self, address: str):
        self._address = address
        self._http = httpx.AsyncClient(
            base_url=f"http://{address}",
            timeout=120,
            limits=httpx.Limits(max_keepalive_connections=0),  # a server may close an idle one at any time
        )
        self._states: dict[str, WidgetState] = {}
        self.widgets: dict[str, str] = {}
        self.session = ""
        self._page = ""
        self._requests = 0

    async def come(self) -> None:
        """Opens the page and waits until it is whole."""
        await self._http.get("/_stcore/health")
        token = self._http.cookies.get(COOKIE, "")
        self._socket = await websockets.connect(
            f"ws://{self._address}/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit"), websockets.Subprotocol(token or "no-token")],
            additional_headers={"Cookie": f"{COOKIE}={token}"},
            origin=websockets.Origin(f"http://{self._address}"),
            max_size=None,
        )
        await self.rerun()

    async def leave(self) -> None:
        await self._socket.close()
        await self._http.aclose()

    def set(self, label: str, **value) -> None:
        """Sets a widget by a part of its id, which holds its key; sent with the next run.

        Args:
            value: one field of a widget's state, such as `string_value="x"`.
        """
        found = next(i for i in self.widgets if label in i)
        self._states[found] = WidgetState(id=found, **value)

    async def upload(self, label: str, name: str, content: bytes) -> None:
        """Uploads a file into an uploader; sent with the next run."""
        self._requests += 1
        asked = BackMsg()
        asked.file_urls_request.request_id = str(self._requests)
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self.session
        await self._socket.send(asked.SerializeToString())
        while True:
            message = await self._next()
            if message.WhichOneof("type") == "file_urls_response":
                break
        urls: FileURLs = message.file_urls_response.file_urls[0]
        answer = await self._http.put(
            urls.upload_url,
            files={"file": (name, content)},
            headers={"X-Xsrftoken": self._http.cookies.get(COOKIE, "")},
        )
        answer.raise_for_status()
        found = next(i for i in self.widgets if label in i)
        state = WidgetState(id=found)
        state.file_uploader_state_value.uploaded_file_info.append(
            UploadedFileInfo(name=name, size=len(content), file_id=urls.file_id, file_urls=urls)
        )
        self._states[found] = state

    async def rerun(self, until: Callable[[bytes], bool] | None = None) -> tuple[float, bytes]:
        """Runs the page with the widgets as they are set.

        Args:
            until: asked with each message; the time is taken when it first says yes, and the run is waited for all the same.

        Returns:
            Seconds until then (or until the run ended), and all that was sent.
        """
        asked = BackMsg()
        asked.rerun_script.page_script_hash = self._page
        asked.rerun_script.widget_states.widgets.extend(self._states.values())
        start = time.perf_counter()
        await self._socket.send(asked.SerializeToString())
        seconds, sent = None, []
        while True:
            message = await self._next()
            content = message.SerializeToString()
            sent.append(content)
            if seconds is None and until is not None and until(content):
                seconds = time.perf_counter() - start
            if message.WhichOneof("type") == "script_finished":
                whole = b"".join(sent)
                return (seconds if seconds is not None else time.perf_counter() - start), whole

    async def _next(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(await asyncio.wait_for(self._socket.recv(), 120))
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session, self._page = message.new_session.initialize.session_id, message.new_session.page_script_hash
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            inner = getattr(element, element.WhichOneof("type") or "empty")
            if getattr(inner, "id", ""):
                self.widgets[inner.id] = element.WhichOneof("type")
        return message
