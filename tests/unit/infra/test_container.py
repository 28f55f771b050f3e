"""What a container runs and may do: as the kernel and the docker plugin take it."""

from __future__ import annotations

import pytest

from infra.servers import container
from infra.settings import parse

MIB = 1024**2
LIMITS: tuple[dict[str, str], ...] = ({}, {"memory": "64MiB"}, {"cpus": "2"}, {"pids": "64"})


def test_a_configuration_that_is_too_long() -> None:
    """Refused instead of cut off."""
    with pytest.raises(ValueError, match="characters, more than 480000"):
        container.environment("x" * 500_000, parse({"server": "docker"}, "dev"))


def test_a_memory_limit_reaches_go_and_jetstream() -> None:
    """The container, the garbage collector and the streams in memory each have their part; swap has none."""
    limited = parse({"server": "docker", "memory": "1GiB", "cpus": "1.50", "pids": "100"}, "dev")
    assert container.limits(limited) == {"memory": 1024, "memory_swap": 1024, "cpus": "1.5"}
    assert container.max_memory_store(limited) == 512 * MIB
    assert container.environment("", limited) == [f"GOMEMLIMIT={int(1024 * MIB * 0.9)}"]
    free = parse({"server": "docker"}, "dev")
    assert container.limits(free) == {"memory": None, "memory_swap": None, "cpus": None}
    assert container.max_memory_store(free) is None


def test_what_changes_the_container_changes_the_plan() -> None:
    """Each limit is in the text that tells a plan that the server is restarted."""
    said = {container.described(parse({"server": "docker", **each}, "dev")) for each in LIMITS}
    assert len(said) == len(LIMITS)
