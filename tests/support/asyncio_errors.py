"""What asyncio only logs: a task that was destroyed while pending, an exception that nobody retrieved."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def collected() -> Iterator[list[str]]:
    """The errors that asyncio logs within the block, which nobody else hears of."""
    collector = _Collector()
    logger = logging.getLogger("asyncio")
    before = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [collector], False
    try:
        yield collector.lines
    finally:
        logger.handlers, logger.propagate = before


@contextmanager
def forbidden() -> Iterator[None]:
    """Fail when asyncio has logged an error within the block, or does once all garbage is collected."""
    with collected() as lines:
        yield
        gc.collect()
        assert [] == lines, "asyncio logged errors: " + "; ".join(lines)
