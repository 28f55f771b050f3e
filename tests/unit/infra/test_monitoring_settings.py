"""The settings of what watches the streams."""

from __future__ import annotations

import pytest

from infra.settings import SettingsError, parse


def problems(**raw: str) -> str:
    """What is wrong with the settings."""
    with pytest.raises(SettingsError) as caught:
        parse(raw, "dev")
    return str(caught.value)


def test_nothing_is_watched_unless_it_is_said() -> None:
    """And then at the ports that everybody expects."""
    assert parse({"server": "process"}, "dev").monitoring is None
    watched = parse({"server": "process", "monitoring": "true", "grafanaPort": "3001"}, "dev").monitoring
    assert watched is not None
    assert (9770, 7777, 9090, 3001) == (
        watched.metrics_port,
        watched.exporter_port,
        watched.prometheus_port,
        watched.grafana_port,
    )


def test_what_is_of_no_use_is_said() -> None:
    """Whoever sets a port wants something to listen there."""
    assert problems(server="docker", prometheusPort="9091").endswith(
        "prometheusPort: has no use without monitoring: true; remove it"
    )


def test_a_word_that_is_neither() -> None:
    """One line."""
    assert problems(server="docker", monitoring="yes").endswith("monitoring: 'yes' is neither true nor false")


def test_a_port_for_two_things() -> None:
    """Of the server and of what watches it."""
    said = problems(server="process", monitoring="true", clientPort="3000", exporterPort="9090")
    assert "grafanaPort: 3000 is in clientPort as well; each needs a port of its own" in said
    assert "prometheusPort: 9090 is in exporterPort as well; each needs a port of its own" in said
