"""The decisions, apart from all input and output: which engine will do, which stack is meant, and why."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.subprocesses import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCKER_STACK, EMBEDDED_STACK = COMMITTED = ("dev", "local")
# The two committed stacks hold no secret: their salt is public and was made with an empty passphrase.
COMMITTED_SALT = "v1:oTn32L6+ROs=:"
_STACK_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack in the state, with how many resources it has."""

    name: str
    resources: int
    current: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The stack a command is for, and why that one."""

    stack: str
    why: str

    def __str__(self) -> str:
        """Return the line that tells the user."""
        return f"Stack {self.stack}: {self.why}"


def recent_enough(found: str, wanted: str) -> bool:
    """Compare the first dotted numbers of two texts: ``go version go1.26.8`` is enough for ``1.26.6``."""
    return _numbers(found) >= _numbers(wanted)


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def settled(asked: str, selected: str, existing: Sequence[Stack]) -> Choice | None:
    """Return the stack that is meant whatever the machine offers, or None when none exists yet.

    Args:
        asked: the name given with the command, or nothing.
        selected: the name in PULUMI_STACK, or nothing.
        existing: the stacks in the state.

    Raises:
        ToolError: the name is no stack name, or several stacks could be meant.
    """
    for name, why in ((asked, "asked for"), (selected, "PULUMI_STACK says so")):
        if name:
            return Choice(stack=_checked(name), why=why)
    live = [stack for stack in existing if stack.resources]
    if len(live) > 1:
        names = ", ".join(stack.name for stack in live)
        raise ToolError(f"Several stacks have resources: {names}. Say which: STACK={live[0].name}")
    why = "it is there already (resources: {0.resources})"
    return Choice(stack=live[0].name, why=why.format(live[0])) if live else None


def fresh(obstacle: str | None) -> Choice:
    """Return the stack a machine without one gets.

    Args:
        obstacle: why the docker stack cannot be had, or None.
    """
    if obstacle:
        return Choice(stack=EMBEDDED_STACK, why=f"a nats-server process, as {obstacle}")
    return Choice(stack=DOCKER_STACK, why="a Docker engine answers and the docker plugin is there")


def _checked(name: str) -> str:
    if not _STACK_NAME.fullmatch(name.rpartition("/")[2]):
        raise ToolError(f"{name!r} is no stack name: letters, digits, and . _ - are allowed")
    return name


def passphrase(stack: str, settings: str, inherited: str | None) -> str | None:
    """Return the passphrase a stack is opened with; None when the environment is to hold none.

    Args:
        stack: the stack's name.
        settings: the text of Pulumi.<stack>.yaml.
        inherited: the value of PULUMI_CONFIG_PASSPHRASE. An empty one comes from a committed stack's
            environment, and must not become the passphrase of a stack of the user's own.
    """
    if stack in COMMITTED and f"encryptionsalt: {COMMITTED_SALT}" in settings:
        return ""
    return inherited or None


def server_kind(settings: str) -> str:
    """Return the ``server`` setting of a stack's file, or nothing."""
    found = re.search(r"^\s+[\"']?prediction-streams:server[\"']?:\s*[\"']?(\w+)", settings, re.MULTILINE)
    return found[1] if found else ""


def apply(changes: Mapping[str, str | None], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the changes made; None takes a variable away."""
    merged = {**environment, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def exports(changes: Mapping[str, str | None], environment: Mapping[str, str]) -> list[str]:
    """Return the changes as lines for a POSIX shell."""
    return [
        f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
        for name, value in changes.items()
        if value is not None or name in environment
    ]


def search_path(first: Sequence[str], path: str) -> str:
    """Return PATH with these folders first and none twice, so that repeating it changes nothing."""
    return ":".join(dict.fromkeys([*first, *path.split(":")]))


# A stack's setting -> the variable in which a status looks for it; secrets never go on a command line.
_LOGIN = {"user": "NATS_USER", "password": "NATS_PASSWORD", "token": "NATS_TOKEN", "credentials": "NATS_CREDS"}


def status_target(outputs: Mapping[str, str], settings: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the options and variables that point a status at a stack's server.

    Raises:
        ToolError: the stack has no server yet.
    """
    if not outputs.get("url"):
        raise ToolError("The stack has no server yet: make up")
    urls = {"NATS_URL": outputs["url"], "NATS_MONITOR_URL": outputs.get("monitor_url") or ""}
    login = {variable: settings[key] for key, variable in _LOGIN.items() if settings.get(key)}
    catalogue = settings.get("catalogue")
    return ["--catalogue", catalogue] if catalogue else [], urls | login
