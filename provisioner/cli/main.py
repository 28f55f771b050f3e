"""The operator's command line: ``streams COMMAND``.

A command's module is imported when the command runs, so that checking a file loads neither
Pulumi nor NATS. Exit codes 0 to 3 belong to the commands (of ``status`` they are states of
health); every other ending has a code of its own, from 64 up.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from provisioner import log
from provisioner.cli.parser import parse
from provisioner.errors import ProvisionerError

# As a shell has them: 128 and the signal's number.
_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the command line without the program's name; default: this process's.

    Returns:
        The command's exit code (1: a problem was reported), else 64 bad usage, 69 a missing
        Python package, 70 a defect of this program, 74 output that cannot be written, 130 Ctrl-C,
        141 a reader that went away.
    """
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return _BROKEN_PIPE
    except OSError as error:
        log.tell(f"streams: {error}")
        _discard_output()
        return os.EX_IOERR
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        log.configure(os.environ)
        options = parse(arguments)
        return int(import_module(f"provisioner.cli.{options.module}").run(options))
    except SystemExit as exit_:  # the parser's, after its help or a usage error
        return int(exit_.code or 0)
    except ProvisionerError as error:
        log.tell(str(error))
        return 1
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        log.tell(f"streams: {sys.executable} has no package {package}; run make setup, then use .venv/bin/streams")
        return os.EX_UNAVAILABLE
    except KeyboardInterrupt:
        log.tell("interrupted")
        return _INTERRUPTED
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - a defect keeps its traceback, and its exit code is no state of health
        traceback.print_exc()
        return os.EX_SOFTWARE


def _discard_output() -> None:
    """Keep the interpreter from writing what is left, and failing again, when it ends."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nothing, stream.fileno())
