"""The commands, one function each: set up what is needed, then become the program that does the work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tools import venv as python_env
from tools.paths import ROOT, VENV
from tools.stack_choice import apply, exports, status_target
from tools.stacks import Session, base_changes, open_session, stack_facts
from tools.subprocesses import ToolError, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Command = Callable[[str, Sequence[str]], int]

CHECKS = (
    ("ruff", "check", "--quiet", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy",),
    ("lint-imports",),
)


def up(stack: str, more: Sequence[str]) -> int:
    """Set everything up, then make the streams so (pulumi up)."""
    return _pulumi(_required(open_session(stack)), "up", "--yes", *more)


def preview(stack: str, more: Sequence[str]) -> int:
    """Show what up would do, drift included (pulumi preview)."""
    return _pulumi(_required(open_session(stack)), "preview", *more)


def destroy(stack: str, more: Sequence[str]) -> int:
    """Take the stack down (pulumi destroy)."""
    session = open_session(stack, create=False)
    if session is None:
        say("Nothing to destroy: no stack has resources")
        return 0
    return _pulumi(session, "destroy", "--yes", *more)


def setup(stack: str, _more: Sequence[str]) -> int:
    """Only set up: .venv, Pulumi, the stack."""
    session = _required(open_session(stack, again=True))
    say(f'Ready. For a plain `pulumi` in your shell: eval "$(make -s shell-env STACK={session.stack})"')
    return 0


def shell_env(stack: str, _more: Sequence[str]) -> int:
    """Print the exports for your own shell: eval "$(make -s shell-env)"."""
    print("\n".join(exports(_required(open_session(stack)).changes, os.environ)))
    return 0


def status(stack: str, more: Sequence[str]) -> int:
    """Show the streams, wanted against live, and the server's health."""
    session = _required(open_session(stack, create=False))
    options, variables = status_target(*stack_facts(session))
    return _python(session.environment | variables, "provisioner", "status", *options, *more)


def validate(_stack: str, more: Sequence[str]) -> int:
    """Check the catalogue, nothing else."""
    python_env.ensure(python_env.RUN)
    return _python(os.environ, "provisioner", "validate", *more)


def test(_stack: str, more: Sequence[str]) -> int:
    """Set everything up, then run every test."""
    # What lacks an engine is skipped, with its reason; in CI that would hide an untested release.
    strict = {"REQUIRE_ENGINES": "1"} if os.environ.get("CI") == "true" else {}
    return _python(_development() | strict, "pytest", *more)


def bench(_stack: str, more: Sequence[str]) -> int:
    """Measure up, preview and destroy with 5 to 500 streams."""
    return _python(_development(), "benchmarks", *more)


def lint(_stack: str, _more: Sequence[str]) -> int:
    """Run ruff, mypy and import-linter."""
    python_env.ensure(python_env.DEVELOP)
    return max(_check(*check) for check in CHECKS)  # all of them, even when the first finds something


COMMANDS: Mapping[str, Command] = {
    command.__name__.replace("_", "-"): command
    for command in (up, preview, status, destroy, validate, test, lint, bench, setup, shell_env)
}


def _required(session: Session | None) -> Session:
    if session is None:
        raise ToolError("There is no stack yet: make up")
    return session


def _development() -> dict[str, str]:
    python_env.ensure(python_env.DEVELOP)
    return apply(base_changes(), os.environ)


def _pulumi(session: Session, *words: str) -> NoReturn:
    _become("pulumi", [*words, "--stack", session.stack, "--non-interactive"], session.environment)


def _python(environment: Mapping[str, str], module: str, *words: str) -> NoReturn:
    _become(str(python_env.PYTHON), ["-m", module, *words], environment)


def _become(program: str, words: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Turn into the program: signals, terminal and exit code are its own from here on."""
    say(f"$ {Path(program).name} {' '.join(words)}")
    os.chdir(ROOT)
    os.execvpe(program, [program, *words], environment)  # noqa: S606 - no shell is wanted


def _check(program: str, *words: str) -> int:
    say(f"$ {program} {' '.join(words)}")
    return subprocess.run([VENV / "bin" / program, *words], check=False, cwd=ROOT).returncode
