"""A program on a terminal of its own, and what it draws."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import until

_SIZE = struct.pack("HHHH", 40, 120, 0, 0)
_DEADLINE_S = 30.0


class Terminal:
    """What a program has drawn so far; read by a thread, as a program waits for whoever reads."""

    def __init__(self, process: subprocess.Popen[bytes], handle: int) -> None:
        self.process, self._handle = process, handle
        self._drawn, self._seen = b"", 0
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def text(self) -> str:
        """Everything that was drawn."""
        return self._drawn.decode(errors="replace")

    def shows(self, *texts: str) -> None:
        """Wait until all of them have been drawn since the last call."""
        try:
            until("what is to be seen", lambda: all(text in self.text[self._seen :] for text in texts))
        except AssertionError as error:
            raise AssertionError(f"{texts} in {self.text[self._seen :][-4000:]}") from error
        self._seen = len(self.text)

    def end(self, signal: int) -> int:
        """Send a signal; the program's exit code."""
        self.process.send_signal(signal)
        code = self.process.wait(_DEADLINE_S)
        self._reader.join(_DEADLINE_S)
        return code

    def _read(self) -> None:
        try:
            while part := os.read(self._handle, 65536):
                self._drawn += part
        except OSError:  # how Linux says that the other side is closed
            pass


@contextmanager
def on_a_terminal(command: Sequence[str], cwd: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    """Run a program; it is gone when the block is left."""
    handle, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, _SIZE)
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdin=side, stdout=side, stderr=side)
    os.close(side)
    try:
        yield (terminal := Terminal(process, handle))
    finally:
        process.kill()
        process.wait(_DEADLINE_S)
        terminal._reader.join(_DEADLINE_S)  # noqa: SLF001 - its own
        os.close(handle)
