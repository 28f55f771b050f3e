"""The stacks in the state, and the environment in which Pulumi works on one of them."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from provisioner.docker_engine import api
from tools import docker_plugin
from tools import venv as python_env
from tools.environment import apply, passphrase, search_path
from tools.log import tell
from tools.paths import ROOT, STATE, VENV, pulumi_home
from tools.pulumi import toolchain
from tools.stack_choice import Choice, Stack, fresh, saves_once, setting, settled
from tools.subprocesses import ToolError, capture

if TYPE_CHECKING:
    from collections.abc import Sequence

# Pulumi's variable; "false" in the environment has it save the state at each step, whatever the stack.
SKIP_CHECKPOINTS = "PULUMI_SKIP_CHECKPOINTS"
STATE_TIMEOUT_S = 60.0  # for a question to the state, which may be far away


@dataclass(frozen=True, kw_only=True)
class Session:
    """A stack that exists and is selected, and what has to change in the environment to work on it.

    Attributes:
        stack: Its name.
        changes: Variables that are set, or taken away.
        problem: Why Pulumi cannot work on it, found out before Pulumi is asked; or None.
        last_update: When its state was saved the last time, in RFC 3339.
    """

    stack: str
    changes: dict[str, str | None]
    problem: str | None = None
    last_update: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment for a program that works on the stack."""
        return apply(self.changes, os.environ)


def open_session(requested: str, *, again: bool = False, create: bool = True) -> Session | None:
    """Set up all that Pulumi needs, decide on the stack and select it.

    Args:
        requested: the name the user gives, or nothing.
        again: ask for the docker plugin even when it was refused a short while ago.
        create: whether a machine without a stack gets one; if not, there may be None.

    Raises:
        ToolError: a part cannot be had, or it is not clear which stack is meant.
    """
    python_env.ensure(python_env.RUN)
    changes = base_changes() | _backend()
    environment = apply(changes | {"PULUMI_STACK": None}, os.environ)
    existing = _existing(environment)
    choice = settled(requested, os.environ.get("PULUMI_STACK", ""), existing)
    if choice is None and create:
        choice = fresh(docker_plugin.problem(environment, again=again))
    if choice is None:
        return None
    tell(str(choice))
    settings = _settings(choice)
    problem = _docker_problem(settings, environment, again=again)
    known = next((stack for stack in existing if stack.name == choice.stack), None)
    live = known is not None and known.resources > 0
    changes |= _stack_changes(choice.stack, settings, live=live)
    if known is None or not known.current:
        _select(choice.stack, apply(changes | {"PULUMI_STACK": None}, os.environ))
    return Session(
        stack=choice.stack,
        changes=changes,
        problem=problem if live else None,
        last_update=known.last_update if known else None,
    )


def stack_facts(session: Session) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a stack's outputs, and its settings with their secrets in the clear."""
    secrets = ("--json", "--show-secrets")
    with ThreadPoolExecutor() as executor:  # each takes a second
        outputs, config = executor.map(partial(_asked, session), (("stack", "output", *secrets), ("config", *secrets)))
    return outputs, {key.partition(":")[2]: entry.get("value") for key, entry in config.items()}


def stack_state(session: Session) -> dict[str, Any]:
    """Return a stack's state, its secrets encrypted."""
    state: dict[str, Any] = _asked(session, ("stack", "export"))
    return state


def _asked(session: Session, words: Sequence[str]) -> Any:
    command = ["pulumi", *words, "--stack", session.stack]
    return json.loads(capture(command, timeout=STATE_TIMEOUT_S, cwd=ROOT, env=session.environment))


def login() -> str | None:
    """Return the backend that the user is logged in to, if there is one."""
    folder = os.environ.get("PULUMI_CREDENTIALS_PATH") or pulumi_home()
    try:
        found: str | None = json.loads((ROOT / folder / "credentials.json").read_text()).get("current")
    except (OSError, ValueError):
        return None
    return found


def base_changes() -> dict[str, str | None]:
    """Return what every command needs: the pinned Python and Pulumi, and no talk of newer versions."""
    folders = [VENV / "bin", toolchain.ensure()]
    first = [str(folder) for folder in folders if folder]
    return {
        # The compiled language host does not know `virtualenv`: it takes the first Python on PATH.
        "PATH": search_path(first, os.environ.get("PATH", os.defpath)),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def _backend() -> dict[str, str | None]:
    """Keep the state where the user is logged in; else Pulumi.yaml says where."""
    if os.environ.get("PULUMI_BACKEND_URL"):
        return {}
    if backend := login():
        tell(f"State: {backend}, where you are logged in")
        return {"PULUMI_BACKEND_URL": backend}
    STATE.mkdir(exist_ok=True)
    return {}


def _existing(environment: dict[str, str]) -> Sequence[Stack]:
    rows = json.loads(
        capture(["pulumi", "stack", "ls", "--json"], timeout=STATE_TIMEOUT_S, cwd=ROOT, env=environment),
    )
    return [
        Stack(
            name=row["name"],
            resources=row.get("resourceCount") or 0,
            current=row["current"],
            last_update=row.get("lastUpdate"),
        )
        for row in rows
    ]


def _settings(choice: Choice) -> str:
    """Return the text of the stack's file: without one, a mistyped name would make a stack of its own."""
    file = ROOT / f"Pulumi.{choice.stack.rpartition('/')[2]}.yaml"
    if not file.exists():
        stacks = ", ".join(sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in ROOT.glob("Pulumi.*.yaml")))
        raise ToolError(f"There is no {file.name}, with which a stack starts. Here are: {stacks}")
    return file.read_text()


def _docker_problem(settings: str, environment: dict[str, str], *, again: bool) -> str | None:
    """Return why a docker stack cannot be reached; its plugin is fetched where it is missing.

    Pulumi starts with a refresh: without an engine the plugin fails there, in its own words, before the
    program can say what is missing.
    """
    if setting(settings, "prediction-streams:server") != "docker":
        return None
    hosts = api.hosts(setting(settings, "docker:host"), setting(settings, "docker:context"))
    problem = docker_plugin.engine_problem(hosts)
    if problem is None:
        docker_plugin.ensure(environment, again=again)  # the program says that it is missing
    return problem


def _stack_changes(stack: str, settings: str, *, live: bool) -> dict[str, str | None]:
    return {
        "PULUMI_STACK": stack,
        "PULUMI_CONFIG_PASSPHRASE": passphrase(
            stack.rpartition("/")[2], settings, os.environ.get("PULUMI_CONFIG_PASSPHRASE")
        ),
        **_no_plugin(),
        **_checkpoints(setting(settings, "prediction-streams:server"), live=live),
    }


def _no_plugin() -> dict[str, str | None]:
    """Keep Pulumi from asking, 2.5 s every run, for a plugin that cannot be had."""
    return {} if docker_plugin.installed() else {"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}


def _checkpoints(server: str | None, *, live: bool) -> dict[str, str | None]:
    """Have Pulumi save the state once, where a killed run leaves nothing that the next one does not know again."""
    if SKIP_CHECKPOINTS in os.environ or not saves_once(server, live=live):
        return {}
    return {SKIP_CHECKPOINTS: "true"}


def _select(stack: str, environment: dict[str, str]) -> None:
    """Create the stack when it is missing, and make it the one a plain ``pulumi`` works on."""
    command = ["pulumi", "stack", "select", "--create", stack, "--non-interactive"]
    capture(command, timeout=STATE_TIMEOUT_S, cwd=ROOT, env=environment)
