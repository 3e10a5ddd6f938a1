# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of the core and of the nodes: a network camera that can be switched off, on and held up."""

import gc
import itertools
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

# Under nohup, and in the background of a script, these are ignored, and programs that a test starts would inherit that.
# A handler is not inherited: they begin with the defaults.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


def pytest_collection_finish(session):
    """Excludes what exists before the first test from garbage collection.

    Every node collects garbage when it is cleaned up, and the objects of thousands of tests would be visited each time.
    """
    gc.collect()
    gc.freeze()


class NetworkCamera:
    """Serves an endless stream of JPEG images over HTTP on this machine, as network cameras do.

    Each image is of one gray level, `LEVEL_STEP` above that of the one before, beginning again at 250.

    Attributes:
        url: its address, the same after each `switch_on`.
    """

    LEVEL_STEP = 5

    def __init__(self, *, period_s=0.01):
        self._period_s, self._numbers = period_s, itertools.count()
        self._off, self._held = threading.Event(), threading.Event()
        self._port, self._server, self._thread = 0, None, None

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}/live.mjpg"

    def switch_on(self):
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                camera._serve(self)

            def log_message(self, *arguments):
                pass

        self._off.clear()
        self._held.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def switch_off(self):
        """Ends all connections; nobody listens any more."""
        if self._server is not None:
            self._off.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = None

    def hold(self):
        """Sends nothing more over connections that stay open."""
        self._held.set()

    def _serve(self, request):
        import cv2
        import numpy as np

        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        try:
            while not self._off.wait(self._period_s):
                if self._held.is_set():
                    continue
                level = next(self._numbers) * self.LEVEL_STEP % 250
                jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))[1].tobytes()
                head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                request.wfile.write(head + jpeg + b"\r\n")
        except OSError:
            pass  # the reader has gone


@pytest.fixture
def network_camera():
    """A network camera that is on."""
    camera = NetworkCamera()
    camera.switch_on()
    yield camera
    camera.switch_off()
