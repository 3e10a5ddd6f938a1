# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The window of `annotate --show`, on a display in memory (Xvfb), with a keyboard and a mouse (xdotool)."""

import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from real_face import moving_face
from video_files import write_video

for _program, _package in (("Xvfb", "xvfb"), ("xdotool", "xdotool")):
    if shutil.which(_program) is None:
        pytest.skip(f"{_program} is not installed (apt-get install {_package})", allow_module_level=True)
pytest.importorskip("pygame", reason="the extra [window] is not installed (pip install pygame-ce)")

pytestmark = pytest.mark.window

LIMIT_S = 30.0
AT_ONCE_S = 6.0  # a source that stalls would be waited for longer: 8 s for the first image, 10 s for another


CLOSE_BUTTON = """
import ctypes, sys
from ctypes import c_int, c_long, c_ulong, c_void_p

class ClientMessage(ctypes.Structure):
    _fields_ = [("type", c_int), ("serial", c_ulong), ("send_event", c_int), ("display", c_void_p)]
    _fields_ += [("window", c_ulong), ("message_type", c_ulong), ("format", c_int), ("data", c_long * 17)]

x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype, x11.XInternAtom.restype = c_void_p, c_ulong
display, window = c_void_p(x11.XOpenDisplay(sys.argv[1].encode())), int(sys.argv[2])
protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
event = ClientMessage(33, 0, 1, display, window, protocols, 32, (c_long * 17)(delete))
assert x11.XSendEvent(display, c_ulong(window), 0, c_long(0), ctypes.byref(event))
x11.XCloseDisplay(display)
"""  # in a process of its own, because Xlib ends the one in which an error occurs


def wait_for(condition, what):
    end_s = time.monotonic() + LIMIT_S
    while not (result := condition()):
        assert time.monotonic() < end_s, what
        time.sleep(0.05)
    return result


class Display:
    """A display in memory, which Xvfb also keeps in a file."""

    def __init__(self, folder):
        reader, writer = os.pipe()
        command = [
            "Xvfb",
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            "800x600x24",
            "-fbdir",
            folder,
            "-noreset",
        ]
        self._process = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
        os.close(writer)
        with os.fdopen(reader) as numbers:
            self.name = f":{numbers.readline().strip()}"
        self._file = folder / "Xvfb_screen0"

    def pixels(self):
        """Returns what is shown, uint8 (H, W, 3) BGR; the file is in the format of xwd."""
        data = self._file.read_bytes()
        head = np.frombuffer(data, ">u4", 25)
        width, height, colors = head[4], head[5], head[19]
        begin = head[0] + 12 * colors
        return np.frombuffer(data, np.uint8)[begin : begin + width * height * 4].reshape(height, width, 4)[:, :, :3]

    def close(self):
        self._process.terminate()
        self._process.wait(LIMIT_S)


@pytest.fixture(scope="module")
def display(tmp_path_factory):
    display = Display(tmp_path_factory.mktemp("display"))
    yield display
    display.close()


class Shown:
    """The program with its window."""

    def __init__(self, display, *words):
        self._environment = {**os.environ, "DISPLAY": display.name, "SDL_VIDEODRIVER": "x11"}
        command = [shutil.which("emotion-perception"), "annotate", *map(str, words), "--show", "--device", "cpu"]
        self.process = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.display = display
        assert self.id

    @property
    def id(self):
        """The id of the window, another one when it has got its size."""
        return wait_for(self._find, "no window")

    def _find(self):
        assert self.process.poll() is None, self.process.communicate()
        return self.xdotool("search", "--onlyvisible", "--class", ".").split()[:1]

    def xdotool(self, *words):
        done = subprocess.run(
            ["xdotool", *words], env=self._environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
        return done.stdout

    def press(self, key):
        self.xdotool("windowfocus", "--sync", *self.id)
        self.xdotool("key", key)

    def press_close_button(self):
        """Sends what a window manager sends when its close button is pressed."""
        command = [sys.executable, "-c", CLOSE_BUTTON, self.display.name, *self.id]
        subprocess.run(command, check=True, timeout=LIMIT_S)

    def ended(self):
        """Waits for the end; returns exit code, seconds, and the last line on standard error."""
        begun_s = time.monotonic()
        _, error = self.process.communicate(timeout=LIMIT_S)
        lines = error.strip().splitlines()
        return self.process.returncode, time.monotonic() - begun_s, lines[-1] if lines else ""

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def show(display):
    shown = []

    def start(*words):
        shown.append(Shown(display, *words))
        return shown[-1]

    yield start
    for one in shown:
        one.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A video of a minute."""
    images = moving_face(10)
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, [*images] * 150, list(range(0, 60_000, 40)))


END = {
    "Escape": lambda shown: shown.press("Escape"),
    "q": lambda shown: shown.press("q"),
    "close button": lambda shown: shown.press_close_button(),
}


@pytest.mark.guarantee(
    "Esc, q and the close button end `annotate --show` at once, also while a stream stalls or has sent nothing yet.",
    section="Programs",
)
@pytest.mark.parametrize("how", list(END))
@pytest.mark.parametrize("source", ["video", "stalled stream", "silent stream"])
def test_the_window_ends_at_once(show, display, clip, network_camera, how, source):
    if source == "silent stream":
        network_camera.hold()
    shown = show(clip if source == "video" else network_camera.url)
    if source != "silent stream":
        wait_for(lambda: display.pixels().any(), "the window stays black")
    if source == "stalled stream":
        network_camera.hold()
        time.sleep(0.3)
    END[how](shown)
    code, seconds, error = shown.ended()
    assert (code, error) == (0, "")
    assert seconds < AT_ONCE_S


def test_a_video_moves_and_an_image_stays_until_it_is_closed(show, display, clip, tmp_path):
    shown = show(clip)
    wait_for(lambda: display.pixels().any(), "the window stays black")
    first = display.pixels()
    wait_for(lambda: (display.pixels() != first).any(), "the video does not move")
    shown.press("q")
    assert shown.ended()[0] == 0
    image = moving_face(1)[0]
    cv2.imwrite(str(tmp_path / "me.png"), image)
    shown = show(tmp_path / "me.png", "--no-bars", "--out", tmp_path / "out.png")
    drawn = wait_for(lambda: (tmp_path / "out.png").is_file() or display.pixels().any(), "the window stays black")
    assert drawn
    time.sleep(1.0)
    assert shown.process.poll() is None
    shown.press("Escape")
    assert shown.ended()[0] == 0
    assert cv2.imread(str(tmp_path / "out.png")).shape == image.shape


def test_a_window_that_is_closed_leaves_no_half_file(show, display, clip, tmp_path):
    out = tmp_path / "out"
    shown = show(clip, "--out", out / "x.mp4", "--csv", out / "x.csv")
    wait_for(lambda: display.pixels().any(), "the window stays black")
    shown.press("q")
    code, seconds, error = shown.ended()
    assert code == 130
    assert seconds < AT_ONCE_S
    assert error.endswith(f"of 1500 images; not written: {out}/x.mp4, {out}/x.csv")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(show, network_camera, number):
    network_camera.hold()
    shown = show(network_camera.url)
    shown.process.send_signal(number)
    code, seconds, error = shown.ended()
    assert code == 130
    assert seconds < AT_ONCE_S
    assert error == "emotion-perception: stopped after 0 images"


def test_without_a_display_one_line_says_so(clip):
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [shutil.which("emotion-perception"), "annotate", str(clip), "--show"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line == "emotion-perception: --show: there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set"
