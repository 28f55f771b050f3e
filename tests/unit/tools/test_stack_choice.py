"""Which stack a command is for."""

from __future__ import annotations

import pytest

from tools.stack_choice import Choice, Stack, fresh, saves_once, setting, settled
from tools.subprocesses import ToolError

DEV = Stack(name="dev", resources=8)
LOCAL = Stack(name="local", resources=7)
EMPTY = Stack(name="dev", resources=0)


@pytest.mark.parametrize(
    ("asked", "selected", "existing", "expected"),
    [
        ("local", "", [DEV], "local"),
        ("local", "dev", [DEV], "local"),
        ("", "local", [DEV], "local"),
        ("", "", [DEV], "dev"),
        ("", "", [EMPTY, LOCAL], "local"),
        ("me/prod", "", [], "me/prod"),
        ("", "", [EMPTY], None),
        ("", "", [], None),
    ],
)
def test_a_stack_that_exists_is_kept(asked: str, selected: str, existing: list[Stack], expected: str | None) -> None:
    """The name given comes first, then the shell's, then the stack that has resources; nothing else."""
    choice = settled(asked, selected, existing)

    assert expected == (choice and choice.stack)


def test_several_live_stacks_are_never_guessed_between() -> None:
    """With two stacks that have resources, the error names both and how to say which."""
    with pytest.raises(ToolError, match=r"dev, local\. Say which: STACK=dev"):
        settled("", "", [DEV, LOCAL])


@pytest.mark.parametrize(
    "name", ["a b", "dev;rm", "../dev ", "'", "x'y", "$(id)", "a;b/dev", "a/b/c/dev", "-", "dev\n"]
)
def test_a_name_that_no_stack_can_have_is_refused(name: str) -> None:
    """A mistyped name is an error of one line."""
    with pytest.raises(ToolError, match="is no stack name"):
        settled(name, "", [])


@pytest.mark.parametrize(
    ("problem", "stack", "line"),
    [
        (None, "dev", "Stack dev: a Docker engine answers and the docker plugin is installed"),
        (
            "no Docker engine answers",
            "local",
            "Stack local: a nats-server process, as no Docker engine answers",
        ),
    ],
)
def test_a_fresh_machine_gets_docker_where_it_can(problem: str | None, stack: str, line: str) -> None:
    """Docker when it can be had, else the process, and the line says why."""
    choice = fresh(problem)

    assert (stack, line) == (choice.stack, str(choice))


def test_a_choice_reads_as_one_line() -> None:
    """What the user sees is the stack and the reason."""
    assert str(Choice(stack="dev", why="asked for")) == "Stack dev: asked for"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("config:\n  prediction-streams:server: docker\n", "docker"),
        ('config:\n  "prediction-streams:server": "process"\n', "process"),
        ("config:\n  # prediction-streams:server: docker\n", None),
        ("config:\n  prediction-streams:server:\n    secure: v1:x\n", None),
        ("config: {}\n", None),
    ],
)
def test_a_setting_is_found(settings: str, expected: str | None) -> None:
    """A setting is read as Pulumi writes it, quoted or not; never from a comment, never an encrypted one."""
    assert expected == setting(settings, "prediction-streams:server")


def test_a_setting_may_be_a_url() -> None:
    """The Docker engine of a stack is read whole."""
    assert (
        setting("config:\n  docker:host: unix:///run/user/1000/docker.sock\n", "docker:host")
        == "unix:///run/user/1000/docker.sock"
    )


@pytest.mark.parametrize(
    ("server", "live", "once"),
    [
        ("external", False, True),
        ("external", True, True),
        ("process", False, False),
        ("process", True, True),
        ("docker", True, False),
        (None, True, False),
    ],
)
def test_what_cannot_be_known_again_is_written_down_at_once(server: str | None, *, live: bool, once: bool) -> None:
    """A container, and the first process of a stack, are known by the state alone."""
    assert once == saves_once(server, live=live)
