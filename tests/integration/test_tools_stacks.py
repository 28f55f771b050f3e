"""What make says of a docker stack before Pulumi is asked; Pulumi is stood in for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, Checkout, checkout

NOWHERE = "unix:///nowhere/docker.sock"


@pytest.fixture
def copy(tmp_path: Path) -> Checkout:
    """A checkout with the stack dev, and no Docker engine."""
    programs = tmp_path / "programs"
    programs.mkdir()
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DOCKER_HOST": NOWHERE,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    made = checkout(tmp_path / "checkout", environment)
    made.write("Pulumi.dev.yaml", (ROOT / "Pulumi.dev.yaml").read_text())
    made.environment["PULUMI_STACK"] = "dev"
    _program(programs / "pulumi-language-python", "true")
    return made


def _program(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def _pulumi(copy: Checkout, *, resources: int, name: str = "dev", last_update: str | None = None) -> None:
    """A Pulumi whose state has one stack, and that says what it is asked to do."""
    row = {"name": name, "current": True, "resourceCount": resources, "lastUpdate": last_update}
    stacks = json.dumps([row])
    cases = f"version) echo v3.999.0 ;; stack) echo '{stacks}' ;; *) echo \"asked: $1\" ;;"
    _program(copy.folder.parent / "programs" / "pulumi", f"case $1 in {cases} esac")


@pytest.mark.parametrize("command", ["preview", "destroy", "up"])
def test_a_stack_in_docker_without_an_engine_is_one_line(copy: Checkout, command: str) -> None:
    """Pulumi would refresh first, and fail in the plugin's own words."""
    _pulumi(copy, resources=8)

    code, lines = copy.run(f"make --silent {command}")

    assert code != 0
    assert lines[:2] == [
        "Stack dev: PULUMI_STACK says so",
        f"error: Stack dev: no Docker engine answers at {NOWHERE}; start it or set DOCKER_HOST",
    ]
    assert not [line for line in lines if line.startswith("asked")]


def test_a_stack_that_has_nothing_yet_is_left_to_the_program(copy: Checkout) -> None:
    """The program's line names the other stack, which works without Docker."""
    _pulumi(copy, resources=0)

    assert copy.run("make --silent preview")[1][-1] == "asked: preview"


def test_the_engine_of_the_stack_s_own_settings_is_asked(copy: Checkout) -> None:
    """The docker plugin's own setting comes before DOCKER_HOST."""
    _pulumi(copy, resources=8)
    settings = copy.folder / "Pulumi.dev.yaml"
    settings.write_text(settings.read_text().replace("config:\n", "config:\n  docker:host: unix:///else/docker.sock\n"))

    assert "no Docker engine answers at unix:///else/docker.sock;" in copy.run("make --silent preview")[1][1]


@pytest.mark.parametrize(
    ("command", "resources", "environment", "once"),
    [
        ("up", 8, {}, True),
        ("up", 0, {}, False),
        ("up", 8, {"PULUMI_SKIP_CHECKPOINTS": "false"}, False),
        ("preview", 8, {}, False),
    ],
)
def test_the_state_of_a_process_is_saved_once(
    copy: Checkout, command: str, resources: int, environment: dict[str, str], *, once: bool
) -> None:
    """Where that is so, the command says it; the user's own word counts."""
    _pulumi(copy, resources=resources, name="local")
    copy.write("Pulumi.local.yaml", (ROOT / "Pulumi.local.yaml").read_text())
    copy.environment.update({"PULUMI_STACK": "local", **environment})
    said = "The state is saved once, when the run ends; at each step with PULUMI_SKIP_CHECKPOINTS=false"
    assert once == (said in copy.run(f"make --silent {command}")[1])


def test_an_up_that_was_cut_short_comes_before_a_destroy(copy: Checkout) -> None:
    """The state does not have what it has made; once an up has come to its end, it has."""
    copy.write("Pulumi.local.yaml", (ROOT / "Pulumi.local.yaml").read_text())
    copy.environment["PULUMI_STACK"] = "local"
    _pulumi(copy, resources=8, name="local", last_update="2026-01-01T00:00:00.000Z")
    copy.run("make --silent up")
    code, lines = copy.run("make --silent destroy")
    assert code != 0
    assert lines[1].startswith("error: The last up of stack local was cut short, and the state does not have what")
    assert lines[1].endswith("it is not to be found any more: rm .pulumi-state/started/local")

    _pulumi(copy, resources=8, name="local", last_update="2999-01-01T00:00:00.000Z")
    assert "was cut short" not in "".join(copy.run("make --silent destroy")[1])
