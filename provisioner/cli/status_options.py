"""The options of ``status``: its form, how often, and from where on a figure is a warning or critical."""

from __future__ import annotations

import argparse
from typing import Final

from provisioner.units import parse_duration

_PAUSE_S: Final = 2.0
_FORMATS: Final = ("table", "json", "nagios")


def add_status_options(command: argparse.ArgumentParser) -> None:
    """Add them."""
    command.add_argument("--format", choices=_FORMATS, default=_FORMATS[0], help="nagios: one line with figures")
    command.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
    again = f"look again and again, every {_PAUSE_S:g} seconds or so many"
    command.add_argument("--watch", nargs="?", type=_seconds, const=_PAUSE_S, metavar="SECONDS", help=again)
    command.add_argument(
        "--unmanaged", choices=("list", "warn"), default="list", help="warn: streams beside the catalogue are a warning"
    )
    levels = command.add_argument_group("thresholds", "where the catalogue says no others")
    levels.add_argument(
        "--used-warning", type=_percent, default=80.0, metavar="PERCENT", help="of max_bytes, max_msgs; default: 80"
    )
    levels.add_argument("--used-critical", type=_percent, default=95.0, metavar="PERCENT", help="default: 95")
    levels.add_argument(
        "--no-message-for", type=_duration, metavar="TIME", help="a stream without a new one, as in 15m"
    )
    for figure, what in _OF_CONSUMERS.items():
        for level in ("warning", "critical"):
            levels.add_argument(f"--{figure}-{level}", type=_count, metavar="N", help=what)


_OF_CONSUMERS: Final = {
    "lag": "messages that a consumer has yet to get",
    "redelivered": "messages that a consumer got more than once",
}


def _seconds(text: str) -> float:
    """A number above 0."""
    if (seconds := _number(text, "seconds", "5 or 0.5; a STREAM goes before --watch")) > 0:
        return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no time to wait; write it like 5 or 0.5")


def _percent(text: str) -> float:
    """``80`` or ``80%``."""
    return _number(text.removesuffix("%"), "percent", "80")


def _count(text: str) -> int:
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of messages; write it like 1000")


def _duration(text: str) -> int:
    """Nanoseconds."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(text: str, of: str, example: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if 0 <= number < float("inf"):
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of {of}; write it like {example}")
