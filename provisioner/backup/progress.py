"""Lines that show how far a backup or a restore is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeAlias

from provisioner.log import tell
from provisioner.text import approximate_size

# Called with a stream's name, the bytes done, and the bytes there are where that is known.
Progress: TypeAlias = Callable[[str, int, int | None], object]

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0


class Meter:
    """Progress on standard error: a line after a second, then after pauses that double."""

    def __init__(self) -> None:
        self._pause, self._shown = _FIRST_PAUSE_S, time.monotonic()

    def show(self, stream: str, done: int, total: int | None) -> None:
        """Write a line, if the pause is over."""
        now = time.monotonic()
        if now - self._shown < self._pause:
            return
        self._pause, self._shown = min(2 * self._pause, _LONGEST_PAUSE_S), now
        of_total = f" of {approximate_size(total)}" if total else ""
        tell(f"{stream}: {approximate_size(done)}{of_total} so far")
