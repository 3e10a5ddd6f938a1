# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page: image, cards, controls, graph and log."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from fastapi import Response
from fastapi.responses import PlainTextResponse
from nicegui import Client, core, ui

from emotion_perception.core.errors import one_line
from emotion_perception.web import fragments
from emotion_perception.web.graph import shown
from emotion_perception.web.state import CameraState, Control, Value, ViewerSettings, ViewerState

_TICK_S, _SLOW_TICKS = 0.25, 2
_ANSWER_S = 5.0
_DOWNLOADS = (("Snapshot", "snapshot.jpg"), ("Last 30 s", "last30s.zip"))
_HEAD = '<link rel="stylesheet" href="/viewer/viewer.css"><script defer src="/viewer/viewer.js"></script>'


class FragmentCache:
    """HTML that is made once for all viewers, as long as nothing has changed."""

    def __init__(self) -> None:
        self._made: dict[Any, tuple[Any, str]] = {}

    def get(self, key: Any, version: Any, make: Callable[[], str]) -> str:
        """Returns the HTML of a key; `make` is called if the version is another one than last time."""
        made = self._made.get(key)
        if made is None or made[0] != version:
            made = self._made[key] = version, make()
        return made[1]


def add_page(state: ViewerState, settings: ViewerSettings) -> None:
    """Adds the page to NiceGUI's application.

    Args:
        state: what is shown.
        settings: what viewers may do.
    """
    cache = FragmentCache()

    @ui.page("/")
    def index(client: Client) -> Response | None:
        """Builds the page of one viewer."""
        if _others(client) >= settings.max_viewers:
            return PlainTextResponse(f"no more pages may be open than {settings.max_viewers} (max_viewers)\n", 503)

        async def check() -> None:  # more pages can be fetched before the first of them connects
            if _others(client) >= settings.max_viewers:
                await _end(client)

        client.on_connect(check)
        Page(state, settings, cache)
        return None


def _others(client: Client) -> int:
    """Returns the number of other pages that are connected."""
    return sum(1 for other in Client.instances.values() if other is not client and other.has_socket_connection)


async def _end(client: Client) -> None:
    """Ends a page: its browser asks for it anew, and gets the reason."""
    sockets = list(core.sio.manager.get_participants("/", client.id))
    await core.sio.emit("run_javascript", {"code": "location.reload()"}, room=client.id)
    if not client.is_deleted:
        client.delete()
    for _, web_socket in sockets:
        await core.sio.eio.disconnect(web_socket)


class Page:
    """The page of one viewer.

    Args:
        state: what is shown.
        settings: what viewers may do.
        cache: shared with the other viewers.
    """

    def __init__(self, state: ViewerState, settings: ViewerSettings, cache: FragmentCache) -> None:
        self._state, self._settings, self._cache = state, settings, cache
        self._camera, self._ticks = 0, 0
        self._crops = False
        self._inputs: list[_Input] = []
        self._downloads: list[tuple[ui.link, str]] = []
        ui.add_head_html(_HEAD)
        self._dark = ui.dark_mode(None)
        with ui.element("main").classes("ep-page"):
            self._header()
            if len(state.cameras) > 1:
                self._tabs()
            with ui.element("div").classes("ep-columns"):
                with ui.element("section").classes("ep-view").props('aria-label="image"'):
                    ui.html(
                        '<div id="ep-frame"><img id="ep-image" alt="live overlay of the camera">'
                        '<p id="ep-status" role="status">waiting for the first image</p></div>',
                        sanitize=False,
                    )
                    self._actions()
                with ui.element("section").classes("ep-side").props('aria-label="faces"'):
                    self._cards = ui.html("", sanitize=False).classes("ep-cards").props("id=ep-cards")
            self._controls = ui.element("section").classes("ep-controls").props('aria-label="controls"')
            self._build_controls()
            ui.html("<h2>Graph</h2>", sanitize=False)
            self._nodes = ui.html("", sanitize=False).props("id=ep-nodes")
            self._topics = ui.html("", sanitize=False).props("id=ep-topics")
            ui.html("<h2>Warnings and errors</h2>", sanitize=False)
            self._log = ui.html("", sanitize=False).props("id=ep-log")
        self._refresh()
        ui.timer(_TICK_S, self._refresh)

    @property
    def _shown(self) -> CameraState:
        return self._state.cameras[self._camera]

    def _header(self) -> None:
        with ui.element("header").classes("ep-header"):
            ui.html("<h1>emotion_perception</h1>", sanitize=False)
            if not self._settings.can_control:
                ui.html('<span class="ep-badge">read-only</span>', sanitize=False)
            if self._settings.anonymize != "none":
                ui.html('<span class="ep-badge">faces are hidden</span>', sanitize=False)
            dark = ui.button("Light or dark").props("flat dense no-caps")
            dark.on("click", self._toggle_dark, js_handler="() => emit(Quasar.Dark.isActive)")

    def _tabs(self) -> None:
        names = [camera.name for camera in self._state.cameras]
        with ui.tabs(on_change=self._select).props("dense no-caps outside-arrows mobile-arrows") as tabs:
            for name in names:
                ui.tab(name)
        tabs.set_value(names[0])

    def _actions(self) -> None:
        with ui.element("div").classes("ep-actions"):
            if self._settings.anonymize == "none":
                ui.switch("Crops", value=False, on_change=self._switch_crops).props("dense")
            if self._settings.can_control:
                ui.button("Calibrate neutral", on_click=self._calibrate).props("dense no-caps outline")
            if self._settings.can_download:
                self._downloads = [(ui.link(text).classes("ep-link"), file) for text, file in _DOWNLOADS]
                self._point_downloads()

    def _build_controls(self) -> None:
        self._controls.clear()
        self._inputs = []
        if not self._settings.can_control:
            return
        with self._controls:
            ui.html("<h2>Parameters</h2>", sanitize=False)
            with ui.element("div").classes("ep-grid"):
                for control in self._shown.controls:
                    self._inputs.append(_Input(control, self._set))

    def _refresh(self) -> None:
        camera, graph = self._camera, self._state.graph
        tracks = self._shown.tracks
        self._cards.content = self._cache.get(
            ("cards", camera, self._crops),
            tracks.version,
            lambda: fragments.cards_html(tracks.view(), crops=self._crops),
        )
        self._nodes.content = fragments.nodes_html(graph.nodes())
        self._ticks += 1
        if self._ticks % _SLOW_TICKS != 1:
            return
        topics = graph.topics()
        self._topics.content = self._cache.get("topics", topics, lambda: fragments.topics_html(topics))
        self._log.content = self._cache.get("log", graph.lines_version, lambda: fragments.log_html(graph.lines()))
        for entry in self._inputs:
            entry.show(self._state.nodes.value(entry.control))

    def _select(self, event: Any) -> None:
        names = [camera.name for camera in self._state.cameras]
        self._camera = names.index(event.value) if event.value in names else 0
        ui.run_javascript(f"epSelect({self._camera})")
        self._point_downloads()
        self._build_controls()
        self._refresh()

    def _switch_crops(self, event: Any) -> None:
        self._crops = bool(event.value)
        self._refresh()

    def _toggle_dark(self, event: Any) -> None:
        self._dark.value = event.args is not True  # what the browser shows: at first it is its own choice

    def _point_downloads(self) -> None:
        """Lets the links lead to the camera that is shown; one that fails does not replace the page."""
        for link, file in self._downloads:
            link.props(f"href=/camera/{self._camera}/{file} download")

    async def _set(self, control: Control, value: Value) -> bool:
        """Sets a parameter and shows the reason of a refusal; returns whether it was set."""
        reason = await _answer(self._state.nodes.set(control, value), str)
        if reason:
            ui.notify(shown(reason), type="negative", timeout=8000, close_button="Close", multi_line=True)
        else:
            ui.notify(shown(f"{control.parameter} is {value}"), type="positive", timeout=1500)
        return not reason

    async def _calibrate(self) -> None:
        pending = self._state.nodes.calibrate(self._shown.classifier)
        done, message = await _answer(pending, lambda reason: (False, reason))
        ui.notify(shown(message), type="positive" if done else "negative", timeout=8000, close_button="Close")


class _Input:
    """The widgets of one parameter.

    Args:
        control: the parameter.
        set_value: sets it; returns whether the node took the value.
    """

    def __init__(self, control: Control, set_value: Callable[[Control, Value], Any]) -> None:
        self.control, self._set_value = control, set_value
        self._known: Value | None = None
        self._sent: Value | None = None
        self._is_showing = False
        with ui.element("div").classes("ep-input"):
            self._widgets = self._made()

    def show(self, value: Value | None) -> None:
        """Shows the value that the node has; one that a person is entering stays until the node's changes."""
        if value is None or value == self._known:
            return
        self._known = value
        self._is_showing = True
        for widget in self._widgets:
            widget.value = value
        self._is_showing = False

    def _made(self) -> list[Any]:
        control, name = self.control, f'aria-label="{self.control.parameter}" data-parameter={self.control.parameter}'
        if isinstance(control.default, bool):
            return [ui.switch(control.title, value=control.default, on_change=self._changed).props(f"dense {name}")]
        if control.choices:
            choice = ui.select(
                list(control.choices), label=control.title, value=control.default, on_change=self._changed
            )
            return [choice.props(f"dense {name}")]
        step = 1 if isinstance(control.default, int) else 0.01
        ui.label(control.title)
        value = float(control.default)
        slider = ui.slider(min=control.lowest, max=control.highest, step=step, value=value).props(f"label {name}")
        slider.on("change", lambda event: self._enter(event.args))
        number = ui.number(value=value, step=step).props(f"dense {name}")
        number.on("change", lambda _: self._enter(number.value))
        number.on("keydown.enter", lambda _: self._enter(number.value))
        return [slider, number]

    async def _changed(self, event: Any) -> None:
        if not self._is_showing:
            await self._enter(event.value)

    async def _enter(self, value: Any) -> None:
        """Sends a value to the node; one that it refuses is replaced by the one that it has."""
        if value is None or value in (self._known, self._sent):
            return
        if isinstance(self.control.default, int) and not isinstance(self.control.default, bool):
            value = int(value)
        elif isinstance(self.control.default, float):
            value = float(value)
        before, self._known, self._sent = self._known, None, value  # Enter causes two events
        taken = await self._set_value(self.control, value)
        self._sent = None
        self.show(value if taken else before)


async def _answer(pending: "Future[Any]", failed: Callable[[str], Any]) -> Any:
    """Returns the result of a command, or where there is none what `failed` makes of the reason."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(pending), _ANSWER_S)
    except asyncio.TimeoutError:
        return failed("the node does not answer")
    except Exception as e:  # noqa: BLE001 - that of `RemoteNodes`
        return failed(f"the command cannot be sent: {one_line(e)}")
