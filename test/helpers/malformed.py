# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Messages that no honest node sends, drawn from a seed: what a broken driver, a bad network or an attacker might."""

import math
import struct

import cv2
import numpy as np
from geometry_msgs.msg import Point
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest

from emotion_perception.core.images.image_codec import ENCODINGS
from emotion_perception.msg import EmotionArray, Face, FaceArray, FaceEmotion

_SIZES = (0, 1, 2, 3, 5, 48, 64, 65_535, 2**31 - 1, 2**31, 2**32 - 1)
_NUMBERS = (0.0, -1.0, 0.5, 1.0, 2.0, 1e-38, 3e38, math.nan, math.inf, -math.inf)
_K = [50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0]
_TEXTS = ("", "bgr8", "BGR8", "dream8", "16UC1", "jpeg", "💥" * 20, "a" * 5000, "\0", "%s%n", "bgr8; jpeg compressed")


class Malformed:
    """Makes malformed messages, the same ones for the same seed.

    Args:
        seed: of all that is random.
        header: function that makes a header of a number.
    """

    def __init__(self, seed, header):
        self.rng, self.header = np.random.default_rng(seed), header

    def image(self, number):
        message = Image(header=self.header(number))
        message.encoding = str(self.pick(ENCODINGS if self.chance(0.7) else _TEXTS))
        message.width, message.height = self.size(), self.size()
        message.step = self.pick((0, 1, message.width, 3 * message.width % 2**32, self.size()))
        message.is_bigendian = int(self.pick((0, 1, 7, 255)))
        message.data = self.bytes()
        return message

    def compressed(self, number):
        message = CompressedImage(header=self.header(number), format=str(self.pick(_TEXTS)))
        honest = cv2.imencode(str(self.pick((".jpg", ".png"))), np.full((48, 64, 3), 128, np.uint8))[1]
        data = bytearray(honest.tobytes() if self.chance(0.7) else self.bytes())
        for _ in range(int(self.rng.integers(0, 9))):
            if data:
                data[int(self.rng.integers(len(data)))] = int(self.rng.integers(256))
        message.data = bytes(data[: int(self.rng.integers(len(data) + 1))])
        return message

    def faces(self, number):
        message = FaceArray(header=self.header(number), detector=str(self.pick(_TEXTS)), detect_ms=self.number())
        message.faces = [self.face() for _ in range(int(self.pick((0, 1, 2, 40))))]
        message.frames_received = int(self.pick((0, 1, 2**64 - 1)))
        return message

    def emotions(self, number):
        message = EmotionArray(header=self.header(number), status=int(self.pick((0, 1, 2, 3, 200, 255))))
        message.faces = [self.emotion() for _ in range(int(self.pick((0, 1, 2, 40))))]
        message.labels = [str(self.pick(_TEXTS)) for _ in range(int(self.pick((0, 1, 2, 7, 50))))]
        return message

    def camera_info(self, number):
        message = CameraInfo(header=self.header(number), width=self.size(), height=self.size())
        message.k = [self.number() for _ in range(9)] if self.chance(0.5) else _K
        message.p = [self.number() for _ in range(12)]
        message.d = [self.number() for _ in range(int(self.pick((0, 1, 4, 5, 8, 100))))]
        message.distortion_model = str(self.pick(("plumb_bob", "rational_polynomial", "equidistant", *_TEXTS)))
        message.binning_x, message.binning_y = self.size(), self.size()
        message.roi = RegionOfInterest(x_offset=self.size(), y_offset=self.size(), width=self.size())
        return message

    def face(self):
        roi = RegionOfInterest(x_offset=self.size(), y_offset=self.size(), width=self.size(), height=self.size())
        points = [Point(x=self.number(), y=self.number(), z=self.number()) for _ in range(5)]
        return Face(
            track_id=int(self.pick((0, 1, 2, 2**64 - 1))),
            roi=roi,
            score=self.number(),
            landmarks=points,
            head_yaw=self.angle(),
            facing_camera=int(self.pick((0, 1, 2, 2, 2, 3, 255))),
            position=points[0],
            position_covariance=[self.number() for _ in range(9)],
            position_source=int(self.pick((0, 1, 2, 3, 3, 4, 255))),
        )

    def emotion(self):
        shares = [[self.number() for _ in range(int(self.pick((0, 1, 2, 7, 50))))] for _ in range(2)]
        label, score, uncertain = str(self.pick(_TEXTS)), self.number(), self.chance(0.5)
        return FaceEmotion(
            face=self.face(),
            label=label,
            score=score,
            uncertain=uncertain,
            probabilities=shares[0],
            smoothed_probabilities=shares[1],
            prediction_age_s=self.number(),
            baseline_weight=self.number(),
            valence=self.number(),
            arousal_std=self.number(),
        )

    def cdr(self):
        """Returns bytes that are no message, or the torn beginning of one."""
        text = struct.pack("<I", 40) + bytes(self.rng.integers(128, 256, 40, dtype=np.uint8))  # no UTF-8
        length = struct.pack("<I", int(self.pick((0, 5, 2**31, 2**32 - 1))))
        return b"\x00\x01\x00\x00" + self.pick((b"", bytes(8) + text, bytes(8) + length, self.bytes()))

    def pick(self, choices):
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, share):
        return bool(self.rng.random() < share)

    def size(self):
        return int(self.pick(_SIZES))

    def angle(self):
        return self.number() if self.chance(0.2) else math.nan

    def number(self):
        return float(self.pick(_NUMBERS))

    def bytes(self):
        count = int(self.pick((0, 1, 3, 48 * 64, 48 * 64 * 3, int(self.rng.integers(20_000)))))
        return self.rng.integers(0, 256, count, dtype=np.uint8).tobytes()
