"""The command line behind the Makefile: ``python -m tools COMMAND``.

make hands over its variables STACK, ARGS and MINUTES in the environment, so that no shell reads them.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys

from tools import log
from tools.commands import COMMANDS, PROBLEM_CODES, Request
from tools.log import tell
from tools.subprocesses import ToolError

STACK, ARGS, MINUTES = VARIABLES = ("TOOLS_STACK", "TOOLS_ARGS", "TOOLS_MINUTES")
_BROKEN_PIPE = 141  # as a shell has it: 128 and the signal's number


def main() -> int:
    """Run one command; every problem is told in one line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    try:
        try:
            return _run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return _BROKEN_PIPE


def _run() -> int:
    log.configure(os.environ)
    options, words = _parser().parse_known_args()
    try:
        return COMMANDS[options.command](_request(options.stack, words))
    except ToolError as error:
        tell(f"error: {error}")
    except BrokenPipeError:
        raise
    except OSError as error:
        tell(f"error: {error.filename or options.command}: {error.strerror}")
    except KeyboardInterrupt:
        return 130
    return PROBLEM_CODES.get(options.command, 1)


def _request(stack: str, words: list[str]) -> Request:
    """Take make's variables out of the environment: what is started is not to inherit them."""
    variables = {name: os.environ.pop(name, "") for name in VARIABLES}
    if variables[MINUTES] and not re.fullmatch(r"\d+(\.\d+)?", variables[MINUTES]):
        raise ToolError(f"MINUTES: {variables[MINUTES]!r} is not a number of minutes")
    try:
        more = shlex.split(variables[ARGS])
    except ValueError as error:
        raise ToolError(f"ARGS: {variables[ARGS]!r} cannot be split into words: {error}") from None
    return Request(stack=stack or variables[STACK], words=(*words, *more), minutes=variables[MINUTES])


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS)) + 2
    rows = "\n".join(f"  make {name:{width}}{command.__doc__}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="make",
        usage="make COMMAND [STACK=name] [ARGS='more arguments']",
        description=rows,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=COMMANDS, help=argparse.SUPPRESS)
    parser.add_argument("--stack", default="", help=argparse.SUPPRESS)
    return parser


def _discard_output() -> None:
    """Keep the interpreter from writing what is left, and failing again, when it ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nothing, stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
