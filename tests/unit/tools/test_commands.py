"""What is written down twice is the same: commands and targets, lint and the hooks before a commit."""

from __future__ import annotations

import re

import yaml

from tools.checks import LINT
from tools.commands import COMMANDS
from tools.paths import ROOT


def test_every_command_is_a_target_of_make() -> None:
    """`make` lists the commands of tools/, and each of them is a target."""
    targets = re.search(r"^COMMANDS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets

    assert sorted(COMMANDS) == sorted(targets[1].split())


def test_the_hooks_are_the_checks_of_lint() -> None:
    """Before a commit the same programs run as in `make lint`, from .venv and without versions of their own."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [hook["entry"].split() for hook in repository["hooks"]]

    assert repository["repo"] == "local"
    assert [f".venv/bin/{check[0]}" for check in LINT] == [hook[0] for hook in hooks]
    assert ["check", "format", "", ""] == [hook[1] if len(hook) > 1 else "" for hook in hooks]


def test_ci_runs_what_a_developer_can_run() -> None:
    """The workflow calls .ci/run and nothing else of the project."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())

    assert [".ci/run"] == [step["run"] for step in workflow["jobs"]["ci"]["steps"] if "run" in step]
