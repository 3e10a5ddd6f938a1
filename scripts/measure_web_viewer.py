#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures what open pages of web_viewer_node cost the nodes: dropped frames and latency of the demonstration.

python scripts/measure_web_viewer.py --viewers 0,1,3          pages as on other computers: what they ask the server
python scripts/measure_web_viewer.py --viewers 1 --browser    pages in Chromium, on this machine's cores

It runs the demonstration once for each number of pages, and prints a row of the table in docs/web_viewer.md for each.
"""

import argparse
import asyncio
import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import socketio

_START_S, _SETTLING_S = 60.0, 3.0
_TICKS = os.sysconf("SC_CLK_TCK")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


async def view(url: str, seen: list[float]) -> None:
    """Does what an open page does, until it is cancelled: asks for image after image, and takes what changes.

    Args:
        url: of the page.
        seen: gets the time of each image.
    """
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            found = re.search(r"client_id\W+([0-9a-f-]{36})", await answer.text())
        if found is None:
            raise RuntimeError("this is not the page")
        query = f"client_id={found[1]}&next_message_id=0&implicit_handshake=true&tab_id=a&document_id=a"
        socket = socketio.AsyncClient()
        await socket.connect(f"{url}?{query}", transports=["websocket"], socketio_path="/_nicegui_ws/socket.io")
        after = 0
        try:
            while True:
                async with session.get(f"{url}/camera/0/image.jpg?after={after}") as answer:
                    if answer.status == 200:
                        after = int(answer.headers["X-Sequence"])
                        await answer.read()
                        seen.append(time.monotonic())
        finally:
            await socket.disconnect()


def view_all(url: str, count: int, seconds: float) -> float:
    """Keeps so many pages open; returns the images per second that each has got."""
    seen: list[list[float]] = [[] for _ in range(count)]

    async def run() -> None:
        pages = [asyncio.ensure_future(view(url, each)) for each in seen]
        await asyncio.wait(pages, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for page in pages:
            if page.done() and page.exception():
                raise RuntimeError(f"a page failed: {page.exception()}")
            page.cancel()
        await asyncio.gather(*pages, return_exceptions=True)

    asyncio.run(run())
    return sum(len(each) for each in seen) / count / seconds


def browse_all(url: str, count: int, seconds: float) -> float:
    """Keeps so many pages open in Chromium; returns the images per second that each has shown."""
    from playwright.sync_api import sync_playwright

    path = next(found for name in _BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        pages = [browser.new_context().new_page() for _ in range(count)]
        for page in pages:
            page.goto(url)
        pages[0].wait_for_timeout(1000 * seconds)
        shown = sum(page.evaluate("window.epImages") for page in pages)
        browser.close()
    return float(shown / count / seconds)


@contextmanager
def demonstration(out: Path, seconds: float) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Runs the demonstration with the page; yields its address and the process."""
    command = [sys.executable, "-m", "emotion_perception.ros.demo", "--web", "--seconds", str(seconds), "--out", out]
    log = out.with_suffix(".log")
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        deadline_s = time.monotonic() + _START_S
        while (match := re.search(r"look at (http://\S+)", log.read_text(encoding="utf-8"))) is None:
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(log.read_text(encoding="utf-8"))
            time.sleep(0.1)
        yield match[1], process
        process.wait(seconds + _START_S)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()


def settled_latencies_ms(path: Path) -> list[float]:
    """Returns the latencies of a demonstration without the first three seconds, in which programs start."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = [(float(row["stamp"]), float(row["latency_ms"])) for row in csv.DictReader(file)]
    return [latency_ms for stamp_s, latency_ms in rows if stamp_s - rows[0][0] > _SETTLING_S]


def cpu_of(program: str) -> tuple[float, float]:
    """Returns the CPU time in seconds of a running program, and its resident memory in MiB."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"/{program}" in (entry / "cmdline").read_text(encoding="utf-8"):
                fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * os.sysconf("SC_PAGESIZE") / 2**20
        except OSError:
            continue
    return 0.0, 0.0


def measure(count: int, seconds: float, *, browser: bool) -> dict[str, Any]:
    """Runs the demonstration beside so many pages; returns a row."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "demo")
        with demonstration(out, seconds) as (url, _):
            begun, begun_s = cpu_of("web_viewer_node"), time.monotonic()
            watch_s = seconds - 1.0
            if count:
                rate_hz = (browse_all if browser else view_all)(url, count, watch_s)
            else:
                rate_hz = 0.0
                time.sleep(watch_s)
            ended = cpu_of("web_viewer_node")
            share = (ended[0] - begun[0]) / (time.monotonic() - begun_s) if ended[0] else math.nan  # it has ended first
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
        latencies_ms = settled_latencies_ms(out / "emotions.csv")
    return {
        "pages": count,
        "frames": summary["frames_published"],
        "dropped": summary["frames_dropped"] + summary["frames_lost_in_transport"],
        "p50": np.percentile(latencies_ms, 50),
        "p99": np.percentile(latencies_ms, 99),
        "images": rate_hz,
        "cpu": share,
        "memory": ended[1],
    }


def main() -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--viewers", default="0,1,3", help="numbers of open pages (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=25.0, help="of each run (default %(default)s)")
    parser.add_argument("--browser", action="store_true", help="open the pages in Chromium on this machine")
    options = parser.parse_args()
    print(
        "| pages | frames | dropped or lost | latency p50, p99 | images per second and page | CPU of the page's node |"
    )
    print("|---|---|---|---|---|---|")
    for count in map(int, options.viewers.split(",")):
        row = measure(count, options.seconds, browser=options.browser)
        print(
            "| {pages} | {frames} | {dropped} | {p50:.1f} ms, {p99:.1f} ms | {images:.1f} "
            "| {cpu:.0%} of a core, {memory:.0f} MiB |".format(**row),
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
