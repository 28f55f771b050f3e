"""What both dynamic providers need: errors of one line, and words for the plan's Diagnostics."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, wraps
from typing import Final, ParamSpec, TypeVar

from provisioner.errors import ProvisionerError
from provisioner.log import tell

P = ParamSpec("P")
T = TypeVar("T")

_WHOLE_TRACEBACK: Final = 1000


class JetStreamError(Exception):
    """What a provider raises for the user: Pulumi prints the class, and this one without its module."""

    __module__ = "builtins"


def one_line(call: Callable[P, T]) -> Callable[P, T]:
    """Let our own errors reach the user as one line; Pulumi's servicer sends a traceback otherwise.

    Any other exception is a defect of this program and keeps its traceback.
    """

    @wraps(call)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        sys.tracebacklimit = _WHOLE_TRACEBACK
        try:
            return call(*args, **kwargs)
        except ProvisionerError as error:
            sys.tracebacklimit = 0
            raise JetStreamError(str(error)) from None

    return guarded


@cache
def warn(text: str) -> None:
    """A line under Diagnostics, where Pulumi shows a provider's standard error; the same line once."""
    tell(text)
