"""Subject transforms: whether the server takes a mapping from one subject to another.

Follows nats-server's ValidateMapping and NewSubjectTransform (server/subject_transform.go).
"""

from __future__ import annotations

import re
from typing import Final

from provisioner.rules import subjects

_FUNCTION: Final = re.compile(r"\{\{.*\}\}")
_DOLLAR: Final = re.compile(r"\$(-?\d+)")
_CALL: Final = re.compile(r"\{\{\s*(\w+)\s*\((.*)\)\s*\}\}")

# Name, spelled as the server spells it, and how many arguments: (fewest, most).
_FUNCTIONS: Final = {
    "wildcard": (1, 1),
    "partition": (1, 1_000_000),
    "splitfromleft": (2, 2),
    "splitfromright": (2, 2),
    "slicefromleft": (2, 2),
    "slicefromright": (2, 2),
    "split": (2, 2),
    "left": (2, 2),
    "right": (2, 2),
    "random": (1, 1),
}
# What these make of one token may have dots in it.
_SEVERAL_TOKENS: Final = frozenset(("splitfromleft", "splitfromright", "slicefromleft", "slicefromright", "split"))
_WITHOUT_WILDCARDS: Final = ("partition", "random")


def transform_problem(source: str, destination: str) -> str | None:
    """Why the server refuses this mapping, or None."""
    if source and not subjects.is_valid(source):
        return f"src {source!r} is not a valid subject"
    if not destination:
        return None
    if not subjects.is_valid(_without_functions(destination)):
        return f"dest {destination!r} is not a valid subject"
    if "*" in destination.split("."):
        return f"dest {destination!r} may not hold *; write {{{{wildcard(1)}}}} for the first one"
    tokens = (source or ">").split(".")
    if (tokens[-1] == ">") != (destination.rsplit(".", 1)[-1] == ">"):
        return "src and dest must both end in > or neither"
    return _token_problem(destination, tokens.count("*"), full="*" in tokens or tokens[-1] == ">")


def destinations(source: str, destination: str) -> str:
    """A pattern of the subjects that a valid mapping leads to."""
    return mapped(source or ">", source or ">", destination)


def mapped(subject: str, source: str, destination: str) -> str:
    """What a valid mapping makes of a subject or pattern inside ``source``; a pattern where more than that decides."""
    own, tokens = subject.split("."), source.split(".")
    values = [own[at] for at, token in enumerate(tokens) if token == "*"]
    result = list[str]()
    for token in destination.split("."):
        indexes, name = _wildcards_used(token)
        if name in _SEVERAL_TOKENS:
            return ".".join([*result, ">"])
        result += own[len(tokens) - 1 :] if token == ">" else [_value(token, name, [values[at - 1] for at in indexes])]
    return ".".join(result)


def _value(token: str, name: str, wildcards: list[str]) -> str:
    if not name:
        return token
    return wildcards[0] if name == "wildcard" else "*"


def _without_functions(destination: str) -> str:
    return ".".join("x" if _FUNCTION.fullmatch(token) else token for token in destination.split("."))


def _token_problem(destination: str, wildcards: int, *, full: bool) -> str | None:
    for token in destination.split("."):
        try:
            indexes, name = _wildcards_used(token)
        except ValueError as error:
            return str(error)
        if name and not full and name not in _WITHOUT_WILDCARDS:
            return f"{token} needs a wildcard in src"
        if any(index > wildcards for index in indexes):
            return f"{token} names a wildcard that src does not have"
    return None


def _wildcards_used(token: str) -> tuple[list[int], str]:
    """The wildcards a token refers to and the function it calls, if any."""
    if dollar := _DOLLAR.fullmatch(token):
        return [int(dollar[1])], "wildcard"
    if not _FUNCTION.fullmatch(token):
        return [], ""
    call = _CALL.fullmatch(token)
    name = call[1].lower() if call else ""
    if not call or name not in _FUNCTIONS:
        raise ValueError(f"{token} is not a function the server knows: {', '.join(_FUNCTIONS)}")
    return _arguments(token, name, [text.strip() for text in call[2].split(",")]), name


def _arguments(token: str, name: str, arguments: list[str]) -> list[int]:
    fewest, most = _FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        raise ValueError(f"{token} has the wrong number of arguments")
    counted = arguments[:1] if name == "split" else arguments
    if not all(re.fullmatch(r"-?\d+", text) for text in counted):
        raise ValueError(f"{token} has an argument that is not a number")
    numbers = [int(text) for text in counted]
    return {"partition": numbers[1:], "random": []}.get(name, numbers[:1])
