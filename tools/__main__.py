"""The command line behind the Makefile: ``python -m tools COMMAND [--stack NAME] [more arguments]``."""

from __future__ import annotations

import argparse
import signal
import sys

from tools.commands import COMMANDS
from tools.subprocesses import ToolError, say


def main() -> int:
    """Run one command; every failure is told in plain words."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped too
    asked, more = _parser().parse_known_args()
    try:
        return COMMANDS[asked.command](asked.stack, more)
    except ToolError as error:
        say(f"error: {error}")
    except OSError as error:
        say(f"error: {error.filename or asked.command}: {error.strerror}")
    except KeyboardInterrupt:
        return 130
    return 1


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


if __name__ == "__main__":
    sys.exit(main())
