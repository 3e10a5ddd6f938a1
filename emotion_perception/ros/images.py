"""Image messages to and from OpenCV arrays: the one place where a picture's buffer is interpreted.

Raw pixels are converted by cv_bridge where the distribution has it, else by rosbags-image; compressed ones by OpenCV.
"""

import array
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from emotion_perception.core.errors import ImageError, one_line
from emotion_perception.core.picture_header import announced_size

_BYTES_PER_PIXEL = {
    **dict.fromkeys(("mono8",), 1),
    **dict.fromkeys(("mono16", "yuv422_yuy2", "yuyv", "yuv422", "uyvy"), 2),
    **dict.fromkeys(("bgr8", "rgb8"), 3),
    **dict.fromkeys(("bgra8", "rgba8"), 4),
}
_ALIASES = {"8UC1": "mono8", "16UC1": "mono16", "8UC3": "bgr8", "8UC4": "bgra8"}
ENCODINGS = (*_BYTES_PER_PIXEL, *_ALIASES)
JPEG_FORMAT = "bgr8; jpeg compressed bgr8"  # as image_transport's plugin writes it
# as the raw picture is: whatever way up the file says the camera was held
_AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def image_to_bgr(message: Image | CompressedImage) -> NDArray[np.uint8]:
    """Returns a message's picture as uint8 (H, W, 3) BGR; rows may be padded, either endianness.

    Raises:
        ImageError: the encoding is not one of `ENCODINGS`, the picture is empty, or its data is shorter than it says;
            a compressed one is not JPEG or PNG, is damaged, or larger than `picture_header.LARGEST_PIXELS`.
    """
    if isinstance(message, CompressedImage):
        return _decode(message)
    tight = _tight(message)
    try:
        return np.ascontiguousarray(_convert(tight))
    except (cv2.error, ValueError, TypeError) as e:
        raise ImageError(f"{message.width}x{message.height} {message.encoding} cannot be converted: {e}") from e


def bgr_to_image(image_bgr: NDArray[np.uint8], header: Header) -> Image:
    """Returns a `bgr8` message of uint8 (H, W, 3) BGR."""
    height, width = image_bgr.shape[:2]
    # an array('B') is taken as it is (0.2 ms at VGA); a numpy array is checked element by element (160 ms)
    data = array.array("B", np.ascontiguousarray(image_bgr).tobytes())
    return Image(header=header, height=height, width=width, encoding="bgr8", is_bigendian=0, step=3 * width, data=data)


def bgr_to_compressed(image_bgr: NDArray[np.uint8], header: Header, quality: int) -> CompressedImage:
    """Returns a JPEG message of uint8 (H, W, 3) BGR; quality 1..100."""
    _, jpeg = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return CompressedImage(header=header, format=JPEG_FORMAT, data=array.array("B", jpeg.tobytes()))


def _decode(message: CompressedImage) -> NDArray[np.uint8]:
    data = bytes(message.data)
    width, height = announced_size(data)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), _AS_STORED)
    except cv2.error as e:
        raise ImageError(f"a compressed {width}x{height} image cannot be decoded: {one_line(e)}") from e
    if image is None:
        raise ImageError(f"{len(data)} bytes of a compressed {width}x{height} image are damaged")
    return np.asarray(image, np.uint8)


def _tight(message: Image) -> Image:
    """Returns the message with a known encoding and without padding, checked against its data."""
    encoding = _ALIASES.get(message.encoding, message.encoding)
    if encoding not in _BYTES_PER_PIXEL:
        raise ImageError(f"encoding '{message.encoding}' is none of {', '.join(ENCODINGS)}")
    height, width, row = message.height, message.width, message.width * _BYTES_PER_PIXEL[encoding]
    step = message.step or row
    if not height or not width:
        raise ImageError(f"an image of {width}x{height} has no pixel")
    if step < row:
        raise ImageError(f"step {step} is shorter than a row of {width} {message.encoding} pixels ({row} bytes)")
    if len(message.data) < height * step:
        raise ImageError(f"{len(message.data)} bytes of data are shorter than height {height} * step {step}")
    if step == row and encoding == message.encoding:
        return message
    rows = np.frombuffer(message.data, np.uint8, count=height * step).reshape(height, step)[:, :row]
    data = array.array("B", rows.tobytes())
    return Image(height=height, width=width, encoding=encoding, is_bigendian=message.is_bigendian, step=row, data=data)


def _converter() -> Callable[[Image], NDArray[np.uint8]]:
    try:
        from cv_bridge import CvBridge
    except ImportError:
        from rosbags.image import message_to_cvimage

        return lambda message: message_to_cvimage(message, "bgr8")
    bridge = CvBridge()
    return lambda message: bridge.imgmsg_to_cv2(message, "bgr8")


_convert = _converter()
