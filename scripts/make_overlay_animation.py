#!/usr/bin/env python3
# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Makes the animated image of the README from the video that the demonstration writes.

    make demo
    scripts/in_env.sh python scripts/make_overlay_animation.py out/demo/overlay.webm \
        --out docs/images/overlay.webp --force

Needs Pillow, which `scripts/setup.sh test` installs.
"""

import argparse
import sys
from pathlib import Path

import av
from output_option import add_output_option, check_output_option
from PIL import Image


def read_frames(path: Path, start_s: float, seconds: float, rate: float, width: int) -> list[Image.Image]:
    """Returns RGB images of a video, at a fixed rate in hertz, scaled to a width in pixels.

    Raises:
        ValueError: The video ends before start_s.
    """
    frames: list[Image.Image] = []
    with av.open(str(path)) as video:
        for frame in video.decode(video=0):
            if frame.time is None or frame.time < start_s + len(frames) / rate:
                continue
            if frame.time >= start_s + seconds:
                break
            image = frame.to_image()
            size = (width, round(image.height * width / image.width))
            frames.append(image.resize(size, Image.Resampling.LANCZOS))
    if not frames:
        raise ValueError(f"{path}: no frame after {start_s:g} s")
    return frames


def main() -> int:
    """Writes the animation; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path, help="overlay.webm of the demonstration")
    add_output_option(parser, "animated WebP to write")
    parser.add_argument("--start", type=float, default=0.0, metavar="S", help="first second of the video")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the animation")
    parser.add_argument("--rate", type=float, default=10.0, metavar="HZ", help="frames a second")
    parser.add_argument("--width", type=int, default=560, help="width in pixels")
    parser.add_argument("--quality", type=int, default=60, help="quality of the images, 0..100")
    arguments = parser.parse_args()
    check_output_option(parser, arguments, [arguments.video])
    frames = read_frames(arguments.video, arguments.start, arguments.seconds, arguments.rate, arguments.width)
    frames[0].save(
        arguments.out,
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 / arguments.rate),
        loop=0,
        quality=arguments.quality,
        method=6,
    )
    print(f"{arguments.out}: {len(frames)} images, {arguments.out.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
