"""Errors of one line: Pulumi's servicer sends a traceback otherwise."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from provisioner.errors import ProvisionerError

P = ParamSpec("P")
T = TypeVar("T")

_WHOLE_TRACEBACK: Final = 1000
_LOG: Final = logging.getLogger(__name__)


class JetStreamError(Exception):
    """What a provider raises for the user: Pulumi prints the class, and this one without its module."""

    __module__ = "builtins"


def one_line(call: Callable[P, T]) -> Callable[P, T]:
    """Let our own errors reach the user as one line, and log the call.

    Any other exception is a defect of this program and keeps its traceback.
    """

    @wraps(call)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        sys.tracebacklimit = _WHOLE_TRACEBACK
        started = time.monotonic()
        try:
            return call(*args, **kwargs)
        except ProvisionerError as error:
            sys.tracebacklimit = 0
            raise JetStreamError(str(error)) from None
        finally:
            _LOG.debug("provider %s %s: %.0f ms", call.__name__, _resource(args), 1000 * (time.monotonic() - started))

    return guarded


def _resource(args: tuple[Any, ...]) -> str:
    """Which resource a call is about: its id, else the name in its properties, else its provider."""
    identifier = next((arg for arg in args if isinstance(arg, str)), "")
    return identifier or str(args[-1].get("name") or type(args[0]).__name__)
