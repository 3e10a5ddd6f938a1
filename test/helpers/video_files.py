# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""Videos as cameras and phones write them: with sound, uneven times and rotation metadata."""

from fractions import Fraction

import numpy as np

TIME_BASE = Fraction(1, 1000)
SOUND_HZ = 44_100
_TURNED = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}  # a, b, c, d of the track's matrix


def write_video(path, images, stamps_ms, *, sound="", rotation=0):
    """Writes images, uint8 (H, W, 3) BGR, at times in milliseconds; with a tone in a sound codec, e.g. aac.

    Args:
        path: the file; its suffix is the container.
        images: of one size.
        stamps_ms: time of each.
        sound: name of an encoder; empty for none. The tone is as long as the images.
        rotation: clockwise degrees by which a player turns the images (.mp4).
    """
    import av

    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", options={"qscale:v": "2"})
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt, video.codec_context.time_base = "yuv420p", TIME_BASE
        audio = container.add_stream(sound, rate=SOUND_HZ, layout="mono") if sound else None
        packets = []
        for image, stamp_ms in zip(images, stamps_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
            frame.pts, frame.time_base = stamp_ms, TIME_BASE
            packets += video.encode(frame)
        packets += video.encode()
        if audio is not None:
            count = SOUND_HZ * stamps_ms[-1] // 1000
            tone = (8000 * np.sin(np.arange(count) * 2 * np.pi * 440 / SOUND_HZ)).astype(np.int16)
            fifo = av.AudioFifo()
            whole = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
            whole.sample_rate, whole.pts, whole.time_base = SOUND_HZ, 0, Fraction(1, SOUND_HZ)
            resampler = av.AudioResampler(format=audio.format, layout="mono", rate=SOUND_HZ)
            for frame in resampler.resample(whole):
                fifo.write(frame)
            while (part := fifo.read(audio.codec_context.frame_size or 1024, partial=True)) is not None:
                packets += audio.encode(part)
            packets += audio.encode()
        container.mux(sorted(packets, key=lambda packet: packet.dts * packet.time_base))
    if rotation:
        _set_rotation(path, rotation)
    return path


def _set_rotation(path, degrees):
    """Writes the rotation into the track header of an MP4: the matrix behind its 40 bytes of other fields."""
    data = bytearray(path.read_bytes())
    a, b, c, d = _TURNED[degrees]
    matrix = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)


def frames_of(path):
    """Returns the time in milliseconds and the image, uint8 (H, W, 3) BGR, of each frame."""
    import av

    with av.open(str(path)) as container:
        return [(round(frame.time * 1000), frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


def sound_of(path):
    """Returns codec, seconds and samples, int16 (N), of the sound track, None without one."""
    import av

    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        codec = container.streams.audio[0].codec_context.name
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_HZ)
        parts = [part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate(parts)
    return codec, len(samples) / SOUND_HZ, samples
