"""Which stack a command is for, and why: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.subprocesses import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCKER_STACK, PROCESS_STACK = COMMITTED = ("dev", "local")
# These two hold no secret: their salt is public and was made with an empty passphrase.
COMMITTED_SALT = "v1:oTn32L6+ROs=:"
_STACK_NAME = re.compile(r"(\w[\w.-]*/){0,2}\w[\w.-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack in the state, with how many resources it has, and when it was saved the last time, in RFC 3339."""

    name: str
    resources: int
    current: bool = False
    last_update: str | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The stack a command is for, and why that one."""

    stack: str
    why: str

    def __str__(self) -> str:
        """Return the line that tells the user."""
        return f"Stack {self.stack}: {self.why}"


def settled(requested: str, selected: str, existing: Sequence[Stack]) -> Choice | None:
    """Return the stack that is meant whatever the machine offers, or None when none exists yet.

    Args:
        requested: the name given with the command, or nothing.
        selected: the name in PULUMI_STACK, or nothing.
        existing: the stacks in the state.

    Raises:
        ToolError: the name is no stack name, or several stacks could be meant.
    """
    for name, why in ((requested, "asked for"), (selected, "PULUMI_STACK says so")):
        if name:
            return Choice(stack=_checked(name), why=why)
    live = [stack for stack in existing if stack.resources]
    if len(live) > 1:
        names = ", ".join(stack.name for stack in live)
        raise ToolError(f"Several stacks have resources: {names}. Say which: STACK={live[0].name}")
    return Choice(stack=live[0].name, why=f"it exists (resources: {live[0].resources})") if live else None


def fresh(docker_problem: str | None) -> Choice:
    """Return the stack that a machine without one gets.

    Args:
        docker_problem: why the docker stack cannot be had, or None.
    """
    if docker_problem:
        return Choice(stack=PROCESS_STACK, why=f"a nats-server process, as {docker_problem}")
    return Choice(stack=DOCKER_STACK, why="a Docker engine answers and the docker plugin is installed")


def saves_once(server: str | None, *, live: bool) -> bool:
    """Return whether the state may be saved at the end of a run only, not at each of its steps.

    A run that is killed then leaves what the state does not know. Streams are known again by the server, and a process
    by its folder, once the state has it; a container, its network and its volume are not.

    Args:
        server: the stack's setting.
        live: whether the state has resources already.
    """
    return server == "external" or (server == "process" and live)


def setting(settings: str, key: str) -> str | None:
    """Return one setting from the text of a stack's file, or None.

    Args:
        settings: the text of Pulumi.<stack>.yaml, as Pulumi writes it: a key a line.
        key: the key with its namespace.
    """
    quote = r"[\"']?"
    match = re.search(rf"^\s+{quote}{re.escape(key)}{quote}:[ \t]*{quote}([^\s\"'#]+)", settings, re.MULTILINE)
    return match[1] if match else None


def _checked(name: str) -> str:
    if not _STACK_NAME.fullmatch(name):
        raise ToolError(f"{name!r} is no stack name: letters, digits, and . _ - are allowed")
    return name
