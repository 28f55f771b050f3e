"""The toolchain's decisions: which version will do, which stack is meant, what the environment becomes."""

from __future__ import annotations

import pytest

from tools.stack_choice import (
    COMMITTED_SALT,
    Choice,
    Stack,
    apply,
    exports,
    fresh,
    passphrase,
    recent_enough,
    search_path,
    server_kind,
    settled,
)
from tools.subprocesses import ToolError

DEV = Stack(name="dev", resources=8)
LOCAL = Stack(name="local", resources=7)
EMPTY = Stack(name="dev", resources=0)
OURS = f"encryptionsalt: {COMMITTED_SALT}rest\n"


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ("v3.274.1\n", "3.220.0", True),
        ("v3.220.0", "3.220.0", True),
        ("v3.99.0", "3.220.0", False),
        ("v3.280.0-alpha.1", "3.220.0", True),
        ("go version go1.26.8 linux/amd64", "1.26.6", True),
        ("go version go1.9.7 linux/amd64", "1.26.6", False),
        ("command not found", "3.220.0", False),
    ],
)
def test_versions_compare_as_numbers(found: str, wanted: str, expected: bool) -> None:
    """3.99 is older than 3.220, and a program that tells no version is never recent enough."""
    assert expected == recent_enough(found, wanted)


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


@pytest.mark.parametrize("name", ["a b", "dev;rm", "../dev ", "'"])
def test_a_name_that_no_stack_can_have_is_refused(name: str) -> None:
    """A mistyped name is an error of one line."""
    with pytest.raises(ToolError, match="is no stack name"):
        settled(name, "", [])


@pytest.mark.parametrize(
    ("obstacle", "stack", "line"),
    [
        (None, "dev", "Stack dev: a Docker engine answers and the docker plugin is there"),
        (
            "no Docker engine answers",
            "local",
            "Stack local: a nats-server process, as no Docker engine answers",
        ),
    ],
)
def test_a_fresh_machine_gets_docker_where_it_can(obstacle: str | None, stack: str, line: str) -> None:
    """Docker when it can be had, else the process, and the line says why."""
    choice = fresh(obstacle)

    assert (stack, line) == (choice.stack, str(choice))


@pytest.mark.parametrize(
    ("stack", "settings", "inherited", "expected"),
    [
        ("dev", OURS, None, ""),
        ("local", OURS, "secret", ""),
        ("dev", "encryptionsalt: v1:other=:v1:x\n", "secret", "secret"),
        ("dev", "secretsprovider: awskms://x\n", None, None),
        ("prod", OURS, "secret", "secret"),
        ("prod", "", "", None),
        ("prod", "", None, None),
    ],
)
def test_only_the_committed_stacks_open_with_an_empty_passphrase(
    stack: str, settings: str, inherited: str | None, expected: str | None
) -> None:
    """A stack of the user's own, or one with a salt of their own, keeps its own passphrase."""
    assert expected == passphrase(stack, settings, inherited)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("config:\n  prediction-streams:server: docker\n", "docker"),
        ('config:\n  "prediction-streams:server": "process"\n', "process"),
        ("config:\n  # prediction-streams:server: docker\n", ""),
        ("config: {}\n", ""),
    ],
)
def test_the_server_setting_is_found(settings: str, expected: str) -> None:
    """The kind of server is read as Pulumi writes it, quoted or not, and never from a comment."""
    assert expected == server_kind(settings)


def test_changes_are_made_and_taken_back() -> None:
    """A value is set, None takes the variable away, the rest stays."""
    assert apply({"A": "1", "B": None}, {"B": "2", "C": "3"}) == {"A": "1", "C": "3"}


def test_exports_are_safe_for_a_shell() -> None:
    """Values are quoted; only what is there is unset."""
    lines = exports({"A": "it's", "B": None, "C": None, "D": ""}, {"B": "old"})

    assert lines == ["export A='it'\"'\"'s'", "unset B", "export D=''"]


def test_the_search_path_does_not_grow() -> None:
    """Putting the same folders first twice gives the same PATH as once."""
    once = search_path(["/venv/bin", "/pulumi/bin"], "/usr/bin:/bin")

    assert once == "/venv/bin:/pulumi/bin:/usr/bin:/bin"
    assert once == search_path(["/venv/bin", "/pulumi/bin"], once)


def test_a_choice_reads_as_one_line() -> None:
    """What the user sees is the stack and the reason."""
    assert str(Choice(stack="dev", why="asked for")) == "Stack dev: asked for"
