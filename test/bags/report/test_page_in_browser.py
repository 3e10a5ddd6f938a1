# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""The report of a recording in a real browser: offline, with the keyboard, on a phone, in the dark."""

import re
import shutil

import pytest
from bag_files import write_bag
from bag_scene import HAPPY, PLAIN, SAD, make_pipeline, scene, stamps

from emotion_perception.bags.evaluation import evaluate_bag
from emotion_perception.bags.inference.settings import Settings
from emotion_perception.bags.io.images import deserialize
from emotion_perception.bags.io.messages import EMOTIONS
from emotion_perception.bags.io.recording import Recording

COUNT = 30
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"
FLAGS = ("--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=[*FLAGS, "--no-sandbox"])
        yield browser
        browser.close()


def images():
    return [scene((10 + 3 * k, 30, 40, HAPPY if k < COUNT // 2 else SAD)) for k in range(COUNT)]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    bag = write_bag(folder / "bag", images(), stamps(COUNT))
    evaluate_bag(bag, folder / "out", PLAIN, progress=False, make_pipeline=make_pipeline)
    return folder / "out" / "report.html"


@pytest.fixture
def opened(chromium):
    """Opens a page; at the end nothing was fetched but the page itself, and nothing was complained of."""
    contexts, asked, complaints = [], [], []

    def open_page(path, **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []


def shown(page):
    """Returns the time at the slider, in seconds."""
    return float(page.locator("#player-time").inner_text().partition(" s")[0])


@pytest.mark.guarantee(
    "The images of a report follow the pointer on the time line and the keyboard, offline.",
    section="Recording and replay",
)
def test_images_and_strip_follow_the_pointer_on_the_time_line(report, opened):
    page = opened(report)
    assert shown(page) == 0.0
    first = page.locator("#player-image").get_attribute("src")
    timeline = page.locator("#timeline-tracks")
    width = timeline.bounding_box()["width"]
    timeline.hover(position={"x": 0.75 * width, "y": 20})
    assert shown(page) == pytest.approx(0.75 * (COUNT - 1) / 10, abs=0.11)
    assert page.locator("#player-image").get_attribute("src") != first
    assert page.locator("#player-strip img.now").get_attribute("src") == page.locator("#player-image").get_attribute(
        "src"
    )
    cursor, place = page.locator("#timeline-cursor").bounding_box(), timeline.bounding_box()
    assert (cursor["x"] - place["x"]) / width == pytest.approx(0.75, abs=0.03)
    assert page.locator("#player-caption").inner_text().startswith("#1 sadness")
    assert page.locator("#player-boxes text").text_content() == page.locator("#player-caption").inner_text()
    timeline.hover(position={"x": 0.2 * width, "y": 20})
    assert page.locator("#player-caption").inner_text().startswith("#1 happiness")


def test_the_keyboard_reaches_the_player(report, opened):
    page = opened(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "player-play"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "player-seek"
    page.keyboard.press("ArrowRight")
    assert shown(page) == 0.1
    page.keyboard.press("End")
    assert shown(page) == (COUNT - 1) / 10
    assert page.locator("#player-seek").get_attribute("aria-valuetext") == f"{(COUNT - 1) / 10} s"
    page.keyboard.press("Home")
    assert shown(page) == 0.0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "player-speed"


def test_it_plays_to_the_end(report, opened):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = opened(report)
    page.locator("#player-speed").select_option("16")
    page.locator("#player-seek").press(" ")
    expect(page.locator("#player-time")).to_have_text("2.9 s of 2.9 s")
    expect(page.locator("#player-play")).to_have_text("Play")
    page.locator("#player-speed").select_option("0.5")
    page.locator("#player-play").click()
    expect(page.locator("#player-play")).to_have_text("Pause")
    assert shown(page) < 2.9


def test_on_a_phone_nothing_is_wider_than_the_screen(report, opened):
    page = opened(report, viewport={"width": 360, "height": 740}, has_touch=True)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 360
    timeline = page.locator("#timeline-tracks")
    timeline.tap(position={"x": timeline.bounding_box()["width"] / 2, "y": 20})
    assert shown(page) == pytest.approx(1.45, abs=0.16)


def test_the_page_is_dark_where_the_reader_wants_that(report, opened):
    def lightness(scheme):
        page = opened(report, color_scheme=scheme)
        colors = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        return [sum(map(int, re.findall(r"\d+", color)[:3])) / 3 for color in colors]

    ground, ink = lightness("dark")
    assert ground < 60
    assert ink > 180
    ground, ink = lightness("light")
    assert ground > 240
    assert ink < 60


def test_text_of_a_recording_is_shown_and_not_run(tmp_path, opened):
    bag = write_bag(tmp_path / "bag", images(), stamps(COUNT))
    evaluate_bag(bag, tmp_path / "out", Settings(write_bag=True), progress=False, make_pipeline=make_pipeline)
    with Recording(tmp_path / "out" / "bag") as recording:
        extra = [
            ("/emotions", EMOTIONS, entry.received_ns, deserialize(entry.raw, EMOTIONS))
            for entry in recording.messages(["/emotions"])
        ]
    for *_, message in extra:
        message.labels = [HOSTILE if label == "happiness" else label for label in message.labels]
        message.model = HOSTILE
        for face in message.faces:
            face.label = HOSTILE if face.label == "happiness" else face.label
    hostile = write_bag(tmp_path / "hostile", images(), stamps(COUNT), extra=extra)
    evaluate_bag(hostile, tmp_path / "recorded", Settings(mode="recorded"), progress=False)
    page = opened(tmp_path / "recorded" / "report.html")
    assert HOSTILE[:12] in page.locator("#player-caption").inner_text()
    assert HOSTILE in page.locator("h1").inner_text()
    assert page.title() == "hostile: emotions"
    assert page.locator("img[src=x]").count() == 0
