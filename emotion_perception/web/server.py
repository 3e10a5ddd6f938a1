# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The server: NiceGUI's page, images and downloads behind the guard, in a thread of its own."""

import asyncio
import os
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

os.environ["NICEGUI_STORAGE_PATH"] = f"{tempfile.gettempdir()}/{uuid.uuid4()}"  # never written, so it is nobody else's

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from nicegui import app as nicegui_app
from nicegui import ui

from emotion_perception.core.errors import EmotionPerceptionError
from emotion_perception.web.access import AllowedHosts, RateLimiter, TokenAccess
from emotion_perception.web.connections import LimitedConnection, LimitedWebSocket
from emotion_perception.web.guard import MAX_HEAD_BYTES, Guard
from emotion_perception.web.newest_image import NewestImage
from emotion_perception.web.page import add_page
from emotion_perception.web.page_log import limit_page_log
from emotion_perception.web.state import ViewerSettings, ViewerState

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_STATIC = Path(__file__).resolve().with_name("static")  # resolved: colcon may install links
_LONGEST_WAIT_S = 5.0  # of a request for an image, which is then repeated
_START_S, _GRACE_S, _STOP_S = 20.0, 0.4, 1.0
_MIN_REQUESTS_HZ = 150.0  # of an address
_MIN_CONNECTIONS, _CONNECTIONS_OF_PAGE = 200, 7  # a browser has up to six, and the WebSocket of each page
_CHUNK_BYTES = 2**18
_NO_STORE = {"Cache-Control": "no-store"}


class ViewerServer:
    """Serves the page; there is one in a process, as NiceGUI has one application.

    Args:
        listening: the socket.
        state: what is shown.
        settings: what viewers may do.
        executor: makes recordings.
        names: further names of this machine, see `AllowedHosts`.
        access: what a client needs; None asks for nothing.
    """

    def __init__(
        self,
        listening: socket.socket,
        state: ViewerState,
        settings: ViewerSettings,
        executor: Executor,
        *,
        names: Sequence[str] = (),
        access: TokenAccess | None = None,
    ) -> None:
        self._socket = listening
        host, port = listening.getsockname()[:2]
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        add_images(app, [camera.image for camera in state.cameras], can_download=settings.can_download)
        if settings.can_download:
            add_recordings(app, state, executor)
        app.mount("/viewer", StaticFiles(directory=_STATIC))
        add_page(state, settings)
        ui.run_with(
            app,
            title="emotion_perception",
            dark=None,
            tailwind=False,
            show_welcome_message=False,
            message_history_length=0,
            binding_refresh_interval=None,
        )
        nicegui_app.config.socket_io_js_transports = ["websocket"]
        nicegui_app.add_exception_handler(404, _not_found)  # NiceGUI's own keeps a page in memory for a minute
        rate_hz = requests_hz(settings)
        guard = Guard(
            app,
            AllowedHosts(host, names),
            access,
            cookie=f"emotion_perception_viewer_{port}",
            requests=RateLimiter(rate_hz, int(4 * rate_hz)),
        )
        config = uvicorn.Config(
            guard,
            log_config=None,
            access_log=False,
            lifespan="on",
            limit_concurrency=max_connections(settings),
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,  # type: ignore[arg-type] # any number of seconds
            timeout_keep_alive=10,
            http=LimitedConnection,  # of h11: httptools, which is faster, has no limit for the head of a request
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            ws=LimitedWebSocket,
            ws_max_size=64 * 1024,
            ws_per_message_deflate=False,
        )
        limit_page_log()
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="web_server", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the server runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Starts the thread and waits until requests are answered.

        Raises:
            EmotionPerceptionError: the server does not start.
        """
        self._thread.start()
        deadline_s = time.monotonic() + _START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline_s:
            time.sleep(0.02)
        if not self._server.started:
            raise EmotionPerceptionError("the web server does not start")

    def stop(self) -> None:
        """Ends all connections; the thread may need a moment longer."""
        self._server.should_exit = True
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def requests_hz(settings: ViewerSettings) -> float:
    """Returns the requests per second that an address may send: all pages may be on one machine, or behind a proxy."""
    return max(_MIN_REQUESTS_HZ, 1.25 * settings.max_rate_hz * settings.max_viewers)


def max_connections(settings: ViewerSettings) -> int:
    """Returns how many connections there may be; an address may have half of them: all pages may be behind a proxy."""
    return max(_MIN_CONNECTIONS, 2 * _CONNECTIONS_OF_PAGE * settings.max_viewers)


def add_images(app: FastAPI, images: Sequence[NewestImage], *, can_download: bool) -> None:
    """Adds the newest image of each camera, and where it is allowed the same as a download.

    Args:
        app: gets the routes.
        images: of each camera.
        can_download: whether there are snapshots.
    """

    @app.get("/camera/{index}/image.jpg")
    async def image(index: int, after: int = 0) -> Response:
        """Waits for an image that is newer than `after`; 204 if there is none for five seconds."""
        if not 0 <= index < len(images):
            return PlainTextResponse("no such camera\n", 404)
        newest = await images[index].newer_than(after, _LONGEST_WAIT_S)
        if newest is None:
            return Response(status_code=204, headers=_NO_STORE)
        headers = {"X-Sequence": str(newest.sequence), "X-Stamp": str(newest.stamp_ns), **_NO_STORE}
        return Response(newest.jpeg, media_type="image/jpeg", headers=headers)

    if not can_download:
        return

    @app.get("/camera/{index}/snapshot.jpg")
    async def snapshot(index: int) -> Response:
        """The newest image as a file."""
        if not 0 <= index < len(images):
            return PlainTextResponse("no such camera\n", 404)
        newest = await images[index].newer_than(0, _LONGEST_WAIT_S)
        if newest is None:
            return PlainTextResponse("there is no image\n", 503)
        return Response(newest.jpeg, media_type="image/jpeg", headers=_attachment(f"snapshot_{newest.stamp_ns}.jpg"))


def add_recordings(app: FastAPI, state: ViewerState, executor: Executor) -> None:
    """Adds the last 30 s of each camera as a download.

    Args:
        app: gets the route.
        state: has the recordings.
        executor: makes them, one at a time: the next one when the last one has been sent.
    """
    one_at_a_time = asyncio.Lock()

    @app.get("/camera/{index}/last30s.zip")
    async def last_seconds(index: int) -> Response:
        """A ZIP archive with a rosbag2 folder."""
        if not 0 <= index < len(state.cameras):
            return PlainTextResponse("no such camera\n", 404)
        if one_at_a_time.locked():
            return PlainTextResponse("another recording is being downloaded\n", 503)
        await one_at_a_time.acquire()
        try:
            loop = asyncio.get_running_loop()
            archive = await loop.run_in_executor(executor, state.recordings.last_seconds, index)
        except BaseException as e:
            one_at_a_time.release()
            if isinstance(e, EmotionPerceptionError):
                return PlainTextResponse(f"{e}\n", 503)
            raise
        return _Archive(archive, f"last30s_{time.strftime('%Y%m%d_%H%M%S')}.zip", one_at_a_time.release)


class _Archive(StreamingResponse):
    """Sends a file from the disk, and closes it whether it was taken or not.

    Args:
        file: open for reading.
        name: that the browser saves it under.
        done: is called in the end.
    """

    def __init__(self, file: BinaryIO, name: str, done: Callable[[], None]) -> None:
        headers = _attachment(name) | {"Content-Length": str(os.fstat(file.fileno()).st_size)}
        super().__init__(_chunks(file), media_type="application/zip", headers=headers)
        self._file, self._done = file, done

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Sends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()
            self._done()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', **_NO_STORE}


async def _not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's signature
    return PlainTextResponse("no such page\n", 404)
