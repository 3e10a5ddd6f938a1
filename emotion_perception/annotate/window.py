# Copyright 2026 emotion_perception maintainers
# SPDX-License-Identifier: Apache-2.0
"""A window for images. All of it has to run in the main thread."""

import os
import sys
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion_perception.core.errors import ConfigurationError

_FIRST_SIZE = (640, 360)  # before the first image
_SHARE_OF_SCREEN = 0.9


class Window:
    """Shows the newest image until the user closes it: with Esc, q, or the button of its frame.

    A context manager. Needs pygame-ce; the locked OpenCV has no windows.

    Args:
        title: of the window.

    Attributes:
        closed: whether the user has closed it.

    Raises:
        ConfigurationError: there is no display.
        ImportError: pygame-ce is not installed.
    """

    def __init__(self, title: str) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        os.environ.setdefault("SDL_NO_SIGNAL_HANDLERS", "1")  # Ctrl-C belongs to the program
        import pygame

        self._pygame = pygame
        if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"} & os.environ.keys():
            raise ConfigurationError("--show: there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set")
        try:
            pygame.display.init()
            if pygame.display.get_driver() in ("dummy", "offscreen") and "SDL_VIDEODRIVER" not in os.environ:
                raise pygame.error("the one that is named cannot be reached")
            self._open(_FIRST_SIZE)
        except pygame.error as e:
            pygame.display.quit()
            raise ConfigurationError(f"--show: there is no display ({e})") from e
        pygame.display.set_caption(title)
        self._image: NDArray[np.uint8] | None = None
        self.closed = False

    def __enter__(self) -> "Window":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pygame.display.quit()

    def show(self, image_bgr: NDArray[np.uint8]) -> None:
        """Shows an image, uint8 (H, W, 3); the first one gives the window its size, as far as the screen has room."""
        if self._image is None:
            width, height = self._pygame.display.get_desktop_sizes()[0]
            share = _SHARE_OF_SCREEN
            scale = min(1.0, share * width / image_bgr.shape[1], share * height / image_bgr.shape[0])
            self._open((round(image_bgr.shape[1] * scale), round(image_bgr.shape[0] * scale)))
        self._image = image_bgr
        self._draw()

    def wait(self, timeout_s: float) -> None:
        """Handles what the user does; returns after a time, and at once when the window is closed."""
        pygame = self._pygame
        event = pygame.event.wait(max(1, round(timeout_s * 1000)))
        for happened in (event, *pygame.event.get()):
            pressed = happened.key if happened.type == pygame.KEYDOWN else None
            if happened.type == pygame.QUIT or pressed in (pygame.K_ESCAPE, pygame.K_q):
                self.closed = True
            elif happened.type in (pygame.VIDEORESIZE, pygame.VIDEOEXPOSE):
                self._draw()

    def _open(self, size: tuple[int, int]) -> None:
        self._pygame.display.set_mode((max(1, size[0]), max(1, size[1])), self._pygame.RESIZABLE)

    def _draw(self) -> None:
        """Draws the image as large as the window allows, at its own aspect ratio."""
        screen = self._pygame.display.get_surface()
        if self._image is None or screen is None:
            return
        width, height = screen.get_size()
        scale = min(width / self._image.shape[1], height / self._image.shape[0])
        size = max(1, round(self._image.shape[1] * scale)), max(1, round(self._image.shape[0] * scale))
        shown = self._image
        if size != (shown.shape[1], shown.shape[0]):
            interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            shown = np.asarray(cv2.resize(shown, size, interpolation=interpolation), np.uint8)
        surface = self._pygame.image.frombuffer(np.ascontiguousarray(shown).tobytes(), size, "BGR")
        screen.fill((0, 0, 0))
        screen.blit(surface, ((width - size[0]) // 2, (height - size[1]) // 2))
        self._pygame.display.flip()
