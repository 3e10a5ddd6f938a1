#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Takes the screenshots of the page for the README: docs/images/web_viewer.webp and web_viewer_phone.webp.

Runs the demonstration with web_viewer_node and opens its page in Chromium, once as wide as a screen and light, once as
wide as a phone and dark.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_START_S, _CHART_S, _LABEL_S = 60.0, 30.0, 40.0
_VIEWS = {
    "web_viewer.webp": {"viewport": {"width": 1180, "height": 1150}, "color_scheme": "light"},
    "web_viewer_phone.webp": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
_QUALITY = 80


def wait_for_url(log: Path, demonstration: "subprocess.Popen[bytes]") -> str:
    """Returns the address of the page as soon as the demonstration has printed it.

    Raises:
        RuntimeError: it has ended, or did not start in time.
    """
    deadline_s = time.monotonic() + _START_S
    while demonstration.poll() is None and time.monotonic() < deadline_s:
        if match := re.search(r"look at (http://\S+)", log.read_text(encoding="utf-8")):
            return match[1]
        time.sleep(0.2)
    raise RuntimeError(f"the page does not start:\n{log.read_text(encoding='utf-8')}")


def take(browser: Browser, url: str, name: str, out: Path) -> None:
    """Writes one screenshot: when the smile of the clip is there, or whatever the source shows at the end."""
    page = browser.new_context(**_VIEWS[name]).new_page()
    page.goto(url)
    page.wait_for_function("window.epImages > 3", timeout=_START_S * 1000)
    try:
        page.locator(".ep-label", has_text="happiness").wait_for(timeout=_LABEL_S * 1000)
    except Exception as e:  # noqa: BLE001 - another source may not smile
        print(f"{name}: {type(e).__name__}: no smile", file=sys.stderr)
    page.wait_for_timeout(700)
    image_bgr = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(str(out / name), image_bgr, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    page.context.close()


def main() -> int:
    """Takes both screenshots; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder (default docs/images)")
    out = parser.parse_args().out
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        print("make_screenshots: no Chromium is installed: apt install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        command = [sys.executable, "-m", "emotion_perception.ros.demo", "--web", "--out", str(Path(folder, "demo"))]
        with log.open("wb") as file:
            demonstration = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            url = wait_for_url(log, demonstration)
            time.sleep(_CHART_S)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                for name in _VIEWS:
                    take(browser, url, name, out)
                browser.close()
        finally:
            demonstration.terminate()
            demonstration.wait()
    print("\n".join(str(out / name) for name in _VIEWS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
