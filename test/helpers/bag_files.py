# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small rosbag2 recordings, made without ROS."""

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

from emotion_perception.bags.io.messages import CAMERA_INFO, COMPRESSED, IMAGE, NS, typestore

PIXELS = {
    "bgr8": lambda bgr: bgr,
    "rgb8": lambda bgr: bgr[:, :, ::-1],
    "mono8": lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY),
}
STORAGES = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}


def write_bag(
    path,
    images_bgr,
    stamps_ns,
    *,
    encoding="bgr8",
    compressed=False,
    storage="mcap",
    topic="/image_raw",
    received_ns=None,
    frame_id="camera_optical_frame",
    extra=(),
    version=9,
):
    """Writes images, and whatever else, as a recording.

    Args:
        path: the folder, which must not exist.
        images_bgr: uint8 (H, W, 3), of any sizes.
        stamps_ns: of their headers.
        encoding: of the messages, one of `PIXELS`; of compressed ones it is said only.
        compressed: write sensor_msgs/CompressedImage (PNG, so that nothing is lost).
        storage: one of `STORAGES`.
        topic: of the images.
        received_ns: when they were recorded; None takes the stamps.
        frame_id: of their headers.
        extra: for each further message (topic, type, received_ns, message or its bytes); see `camera_info`.
        version: of rosbag2's metadata, 8 or 9.

    Returns:
        The path.
    """
    kind = COMPRESSED if compressed else IMAGE
    make = compressed_image if compressed else image
    received_ns = stamps_ns if received_ns is None else received_ns
    entries = [
        (topic, kind, received, make(image_bgr, header(stamp, frame_id), encoding))
        for image_bgr, stamp, received in zip(images_bgr, stamps_ns, received_ns, strict=True)
    ]
    with Writer(path, version=version, storage_plugin=STORAGES[storage]) as writer:
        connections = {(topic, kind): writer.add_connection(topic, kind, typestore=typestore())}
        for name, kind, received, message in sorted([*entries, *extra], key=lambda entry: entry[2]):
            if (name, kind) not in connections:
                connections[name, kind] = writer.add_connection(name, kind, typestore=typestore())
            raw = message if isinstance(message, bytes) else bytes(typestore().serialize_cdr(message, kind))
            writer.write(connections[name, kind], received, raw)
    return path


def message_of(kind, **fields):
    """Returns a message of rosbags' with those fields."""
    return typestore().types[kind](**fields)


def header(stamp_ns, frame_id="camera_optical_frame"):
    """Returns a std_msgs/Header."""
    time = message_of("builtin_interfaces/msg/Time", sec=stamp_ns // NS, nanosec=stamp_ns % NS)
    return message_of("std_msgs/msg/Header", stamp=time, frame_id=frame_id)


def image(image_bgr, header, encoding="bgr8"):
    """Returns a sensor_msgs/Image."""
    pixels = np.ascontiguousarray(PIXELS[encoding](image_bgr))
    height, width = pixels.shape[:2]
    return message_of(
        IMAGE,
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=pixels.nbytes // height,
        data=pixels.reshape(-1),
    )


def compressed_image(image_bgr, header, encoding="bgr8"):
    """Returns a sensor_msgs/CompressedImage without loss."""
    data = cv2.imencode(".png", image_bgr)[1].reshape(-1)
    return message_of(COMPRESSED, header=header, format=f"{encoding}; png compressed bgr8", data=data)


def camera_info(header, *, width, height):
    """Returns a sensor_msgs/CameraInfo that is calibrated."""
    return message_of(
        CAMERA_INFO,
        header=header,
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=np.diag([width, width, 1.0]).reshape(-1),
        r=np.eye(3).reshape(-1),
        p=np.eye(3, 4).reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=message_of("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    )
