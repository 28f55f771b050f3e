"""Errors of a program's arguments: one line each, and no traceback."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import signature
from typing import Final, ParamSpec

import pulumi

from provisioner.errors import ProvisionerError
from provisioner.text import did_you_mean

P = ParamSpec("P")

_NAME: Final = "resource_name"


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
    """Say in one line which argument there is not, with the one that may be meant, or which is missing."""
    described = signature(init)
    takes = tuple(described.parameters)[1:]

    @wraps(init)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        whose = _whose(takes[0], args, kwargs)
        unknown = [name for name in kwargs if name not in takes]
        require_none(whose, (f"{name}: unknown argument{did_you_mean(name, takes)}" for name in unknown))
        try:
            described.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(f"{whose}: {error}") from None
        init(*args, **kwargs)

    return checked


def _whose(first: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    """The class and the name that is given; a server's url, which comes first, may hold a password."""
    given = args[1] if first == _NAME and len(args) > 1 else kwargs.get(_NAME, kwargs.get("name", ""))
    return f"{type(args[0]).__name__} {given}".strip()
