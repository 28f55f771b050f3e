"""The commands, one function each: set up what is needed, then become the program that does the work."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tools import checks, lock, stack_files
from tools import venv as python_env
from tools.environment import apply, deleted_streams, exports, smoke_target, status_target
from tools.log import LOGGER, tell
from tools.paths import ROOT, VENV
from tools.stacks import SKIP_CHECKPOINTS, Session, base_changes, login, open_session, stack_facts, stack_state
from tools.subprocesses import ToolError
from tools.unfinished import note_start, require_finished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Command = Callable[["Request"], int]

STREAMS = VENV / "bin" / "streams"
LISTED_TIMEOUT_S = 30.0
_SAVING = ("up", "destroy")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a command is asked for: make's STACK, ARGS and MINUTES.

    Attributes:
        stack: The stack's name, or nothing.
        words: More arguments for the program behind the command.
        minutes: How long to explore, or nothing.
    """

    stack: str = ""
    words: tuple[str, ...] = ()
    minutes: str = ""


def up(request: Request) -> int:
    """Set everything up, then make the streams so (pulumi up)."""
    return _pulumi(_required(open_session(request.stack)), "up", "--yes", *request.words)


def preview(request: Request) -> int:
    """Show what up would do, drift included (pulumi preview)."""
    return _pulumi(_required(open_session(request.stack)), "preview", *request.words)


def destroy(request: Request) -> int:
    """Take the stack down (pulumi destroy)."""
    session = open_session(request.stack, create=False)
    if session is None:
        tell("Nothing to destroy: no stack has resources")
        return 0
    require_finished(session.stack, session.last_update)
    _list_what_goes(session)
    return _pulumi(session, "destroy", "--yes", *request.words)


def setup(request: Request) -> int:
    """Only set up: .venv, Pulumi, the stack."""
    session = _required(open_session(request.stack, again=True))
    _tell_of_streams()
    tell(f'Ready. For a plain `pulumi` in your shell: eval "$(make -s shell-env STACK={session.stack})"')
    return 0


def shell_env(request: Request) -> int:
    """Print the exports for your own shell: eval "$(make -s shell-env)"."""
    print("\n".join(exports(_required(open_session(request.stack)).changes, os.environ)))
    return 0


def status(request: Request) -> int:
    """Compare the catalogue with the live streams, and show the server's health (streams status)."""
    seen = _seen(request)
    _become(STREAMS, ["status", *seen.options, *request.words], seen.environment)


def drift(request: Request) -> int:
    """Say whether the server is as the catalogue says: 0 yes, 1 no, 2 it cannot be told (streams drift)."""
    seen = _seen(request)
    _become(STREAMS, ["drift", *seen.options, "--state", str(seen.state()), *request.words], seen.environment)


def smoke(request: Request) -> int:
    """Follow a message over every hop of the services' flow; it leaves nothing behind (streams smoke)."""
    session = _required(open_session(request.stack, create=False))
    options, variables = smoke_target(*stack_facts(session))
    _become(STREAMS, ["smoke", *options, *request.words], session.environment | variables)


def metrics(request: Request) -> int:
    """Give the figures of a status to Prometheus: ARGS='--listen 9770' serves them (streams metrics)."""
    seen = _seen(request)
    history = ["--history", str(seen.history)] if seen.history else []
    _become(STREAMS, ["metrics", *seen.options, *history, *request.words], seen.environment)


def monitoring(request: Request) -> int:
    """Write a Prometheus and a Grafana for the catalogue into monitoring/ (streams monitoring)."""
    seen = _seen(request)
    _become(STREAMS, ["monitoring", *seen.options, *request.words], seen.environment)


def validate(request: Request) -> int:
    """Check the catalogue, nothing else (streams validate)."""
    python_env.ensure(python_env.RUN)
    _become(STREAMS, ["validate", *request.words], os.environ)


def test(request: Request) -> int:
    """Set everything up, then run every test."""
    return _python(_tested(), "pytest", *request.words)


def test_fast(request: Request) -> int:
    """Run the unit tests and lint: seconds."""
    python_env.ensure(python_env.DEVELOP)
    return checks.run_all([(*checks.UNIT, *request.words), *checks.LINT])


def explore(request: Request) -> int:
    """Look for new counterexamples: MINUTES=5 of new random seeds."""
    minutes = {"EXPLORE_MINUTES": request.minutes} if request.minutes else {}
    return _python(_tested() | minutes, "pytest", "-m", "explore", *request.words)


def coverage(request: Request) -> int:
    """Run every test, measure what they cover, and check the floors."""
    environment = _tested()
    code = checks.run((*checks.COVERED, *request.words), environment)
    return code or max(checks.run(floor, environment) for floor in checks.FLOORS)


def bench(request: Request) -> int:
    """Measure up, preview and destroy with 5 to 500 streams."""
    return _python(_development(), "benchmarks", *request.words)


def docs(request: Request) -> int:
    """Write the generated documents."""
    python_env.ensure(python_env.DEVELOP)
    return _python(os.environ, "docs.generate", *request.words)


def lint(_request: Request) -> int:
    """Run ruff, mypy and import-linter."""
    python_env.ensure(python_env.DEVELOP)
    return checks.run_all(checks.LINT)


def lock_(request: Request) -> int:
    """Write the lock files anew from requirements*.txt; ARGS=--upgrade for newer indirect ones."""
    python_env.ensure(python_env.RUN)
    lock.write(request.words)
    return 0


_STACK_COMMANDS: tuple[Command, ...] = (up, preview, status, drift, metrics, monitoring, smoke, destroy, validate)
_CHECK_COMMANDS: tuple[Command, ...] = (test, test_fast, explore, coverage, lint, bench)
_SUPPORT_COMMANDS: tuple[Command, ...] = (docs, lock_, setup, shell_env)
COMMANDS: Mapping[str, Command] = {
    command.__name__.strip("_").replace("_", "-"): command
    for command in (*_STACK_COMMANDS, *_CHECK_COMMANDS, *_SUPPORT_COMMANDS)
}
# What a command ends with that cannot do its work, where it is not 1.
PROBLEM_CODES: Mapping[str, int] = {"drift": 2}


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """How to look at a stack's server.

    Attributes:
        options: Of ``streams``.
        environment: With the server's URL and the login.
        state: Gives a file with the stack's state.
        history: The folder with the history of its runs, where there is one.
    """

    options: list[str]
    environment: Mapping[str, str]
    state: Callable[[], Path]
    history: Path | None = None


def _seen(request: Request) -> _Seen:
    """Find the server of a stack, in files if they tell."""
    python_env.ensure(python_env.RUN)
    if files := stack_files.look(request.stack, os.environ, login()):
        tell(str(files.choice))
        options, variables = status_target(files.outputs, files.settings)
        return _Seen(
            options=options,
            environment={**os.environ, **variables},
            state=lambda: files.state,
            history=files.history if files.history.is_dir() else None,
        )
    session = _required(open_session(request.stack, create=False))
    options, variables = status_target(*stack_facts(session))
    state = partial(_exported, session)
    return _Seen(options=options, environment=session.environment | variables, state=state)


def _exported(session: Session) -> Path:
    """Return a file that is there for as long as this process, whatever program it becomes."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(stack_state(session)).encode())
        file.seek(0)
        descriptor = os.dup(file.fileno())
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - it takes no keyword
    return Path(f"/dev/fd/{descriptor}")


def _required(session: Session | None) -> Session:
    if session is None:
        raise ToolError("There is no stack yet: make up")
    return session


def _development() -> dict[str, str]:
    python_env.ensure(python_env.DEVELOP)
    return apply(base_changes(), os.environ)


def _tested() -> dict[str, str]:
    """Return the environment of the tests: in CI a skipped test would hide an untested release."""
    return _development() | ({"REQUIRE_ENGINES": "1"} if os.environ.get("CI") == "true" else {})


def _list_what_goes(session: Session) -> None:
    """Show what the streams hold that the destroy deletes; one that cannot be asked is no reason to stop."""
    if session.problem:
        return
    outputs, settings = stack_facts(session)
    names = deleted_streams(outputs, os.environ.get("STREAMS_ALLOW_LOSS", ""))
    if not names:
        return
    tell("This goes, with all messages:")
    _options, variables = status_target(outputs, settings)
    command = [str(STREAMS), "contents", *names]
    subprocess.run(command, check=False, env=session.environment | variables, timeout=LISTED_TIMEOUT_S, cwd=ROOT)


def _tell_of_streams() -> None:
    if shutil.which("streams") != str(STREAMS):
        tell(f"The command `streams` is {STREAMS.relative_to(ROOT)}; it is not on your PATH")


def _pulumi(session: Session, *words: str) -> NoReturn:
    if session.problem:
        raise ToolError(f"Stack {session.stack}: {session.problem}; start it or set DOCKER_HOST")
    _tell_of_streams()
    if words[0] in _SAVING and session.environment.get(SKIP_CHECKPOINTS) == "true":
        if words[0] == "up":
            note_start(session.stack)
        tell(f"The state is saved once, when the run ends; at each step with {SKIP_CHECKPOINTS}=false")
    _become("pulumi", [*words, "--stack", session.stack, "--non-interactive"], session.environment)


def _python(environment: Mapping[str, str], module: str, *words: str) -> NoReturn:
    _become(python_env.PYTHON, ["-m", module, *words], environment)


def _become(program: str | Path, words: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Turn into the program: signals, terminal and exit code are its own from here on."""
    line = shlex.join([Path(program).name, *words])
    LOGGER.info("%s: takes over from here", line)
    tell(f"$ {line}")
    os.chdir(ROOT)
    os.execvpe(program, [str(program), *words], environment)  # noqa: S606 - no shell is wanted
