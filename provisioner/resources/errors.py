"""Errors of a program's arguments: one line each, and no traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from typing import ParamSpec

import pulumi

from provisioner.errors import ProvisionerError
from provisioner.text import did_you_mean

P = ParamSpec("P")


class ArgumentError(ProvisionerError, pulumi.RunError):
    """The arguments of a resource or server have mistakes; the text has one line for each."""


def require_none(what: str, problems: Iterable[str]) -> None:
    """End the program where there are problems.

    Args:
        what: whose they are: ``Stream ORDERS``.
        problems: the problems.

    Raises:
        ArgumentError: there are some.
    """
    if lines := [f"{what}: {problem}" for problem in problems]:
        raise ArgumentError("\n".join(lines))


def named(init: Callable[P, None]) -> Callable[P, None]:
    """Refuse an argument that there is not, with the one that may be meant, instead of Python's TypeError."""
    takes = tuple(signature(init).parameters)[1:]

    @wraps(init)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        whose = f"{type(args[0]).__name__} {args[1] if len(args) > 1 else kwargs.get(takes[0], '')}".strip()
        unknown = [name for name in kwargs if name not in takes]
        require_none(whose, (f"{name}: unknown argument{did_you_mean(name, takes)}" for name in unknown))
        init(*args, **kwargs)

    return checked
