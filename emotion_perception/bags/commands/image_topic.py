# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""`emotion-perception image-topic`, which replay.launch.py reads."""

import argparse

from emotion_perception.bags.commands.options import add_topic_option
from emotion_perception.core.paths import path_argument
from emotion_perception.core.printable import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("bag", type=path_argument, help="rosbag2 folder, .mcap or .db3 file")
    add_topic_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints name, type and frame of the image topic, a line each; returns the exit code."""
    from emotion_perception.bags.io.images import image_topic, read_bag_images
    from emotion_perception.bags.io.recording import Recording

    with Recording(arguments.bag) as recording:
        topic = image_topic(recording, arguments.topic)
        frames = (image.message.header.frame_id for image in read_bag_images(recording, topic) if image.message)
        print(*map(printable, (topic.name, topic.type, next(frames, ""))), sep="\n")
    return 0
