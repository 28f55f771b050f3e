"""Standard error: lines for the user, and the log of what happens, which ``STREAMS_LOG`` turns on.

Neither ever holds a payload or a secret: subjects, names, sizes, times and error codes only.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Final

VARIABLE: Final = "STREAMS_LOG"
LEVELS: Final = ("debug", "info", "warning")
_FORMAT: Final = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s"
_USER_INFO: Final = re.compile(r"//\S*@")


def tell(*lines: str) -> None:
    """Write lines to standard error."""
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def configure(environment: Mapping[str, str]) -> None:
    """Log to standard error from the level that ``STREAMS_LOG`` names; nothing if it is not set. Idempotent."""
    _configure(environment.get(VARIABLE, ""))


def redacted(text: str) -> str:
    """The text, with everything hidden that may be a user and password in a URL."""
    return _USER_INFO.sub("//***@", text)


def reset() -> None:
    """Turn the log off, and let it be configured again."""
    _configure.cache_clear()
    _configure("")


@cache
def _configure(level: str) -> None:
    logger = logging.getLogger("provisioner")
    logger.propagate = False
    if level.lower() in LEVELS:
        handler: logging.Handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT, "%H:%M:%S"))
        logger.setLevel(level.upper())
    else:
        handler = logging.NullHandler()
        logger.setLevel(logging.CRITICAL)
        if level:
            tell(f"{VARIABLE}: {level!r} is not one of {', '.join(LEVELS)}; nothing is logged")
    logger.handlers = [handler]
