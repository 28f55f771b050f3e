"""Standard error: lines of progress for the user, and the log that ``STREAMS_LOG`` turns on, as for the provider.

The log holds command lines, times and exit codes; never an environment, and never what a program prints.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "STREAMS_LOG"
LEVELS = ("debug", "info", "warning")
LOGGER = logging.getLogger("tools")
_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s"


def tell(line: str) -> None:
    """Print a line of progress, apart from what the command itself prints."""
    print(line, file=sys.stderr, flush=True)


def configure(environment: Mapping[str, str]) -> None:
    """Log to standard error from the level that ``STREAMS_LOG`` names; nothing if it is not set."""
    level = environment.get(VARIABLE, "").lower()
    known = level in LEVELS
    if level and not known:
        tell(f"{VARIABLE}: {level!r} is not one of {', '.join(LEVELS)}; nothing is logged")
    handler = logging.StreamHandler() if known else logging.NullHandler()
    handler.setFormatter(logging.Formatter(_FORMAT, "%H:%M:%S"))
    LOGGER.propagate = False
    LOGGER.setLevel(level.upper() if known else logging.CRITICAL)
    LOGGER.handlers = [handler]
