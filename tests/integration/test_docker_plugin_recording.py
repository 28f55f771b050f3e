"""The stand-in decides as the real docker plugin was recorded to decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.docker_plugin import RECORDING
from tests.support.docker_plugin.schema import check, diff

CALLS = [json.loads(line) for line in RECORDING.read_text().splitlines()]


def calls(method: str) -> list[Any]:
    """Return the recorded calls of a method, named after their step and resource type."""
    return [
        pytest.param(call, id=f"{call['step']}-{call['type'].split(':')[-1]}")
        for call in CALLS
        if call["method"] == method
    ]


@pytest.mark.parametrize("call", calls("Check"))
def test_check_fills_in_what_the_real_plugin_fills_in(call: dict[str, Any]) -> None:
    """The checked inputs, nested defaults included, are the recorded ones."""
    assert call["response"]["inputs"] == check(call["type"], call["news"])


@pytest.mark.parametrize("call", calls("Diff"))
def test_diff_is_the_real_plugins_verdict(call: dict[str, Any]) -> None:
    """Verdict, replacements, stable properties and each detail are the recorded ones."""
    verdict = diff(call["type"], call["olds"], call["news"])
    details = {path: {"kind": kind} for path, kind in verdict["detailedDiff"].items()}
    actual = {**verdict, "detailedDiff": details, "hasDetailedDiff": True}

    assert call["response"] == {key: value for key, value in actual.items() if value}


def test_the_recording_has_every_verdict() -> None:
    """Replaying it means something: an update, two replacements and several calls without a difference."""
    verdicts = [call["response"].get("diffs", []) for call in CALLS if call["method"] == "Diff"]

    assert {(), ("restart",), ("ports",), ("mustRun", "ports")} == set(map(tuple, verdicts))


@pytest.mark.parametrize(
    ("key", "value", "replaces"),
    [
        ("command", ["--config", "/other"], ["command"]),
        ("image", "sha256:other", ["image"]),
        ("labels", [{"label": "app", "value": "other"}], ["labels"]),
        ("uploads", [{"file": "/etc/nats/nats.conf", "content": "other"}], ["uploads"]),
        ("volumes", [{"volumeName": "other", "containerPath": "/data"}], ["volumes"]),
        ("networksAdvanced", [], ["networksAdvanced"]),
        ("name", "other", ["name"]),
        ("restart", "no", []),
        ("memory", 512, []),
        ("envs", ["A=b"], ["envs"]),
        ("user", "65532:65532", ["user"]),
        ("readOnly", True, ["readOnly"]),
        ("cpus", "1.5", ["cpus"]),
        ("securityOpts", ["no-new-privileges:true"], ["securityOpts"]),
        ("capabilities", {"drops": ["ALL"]}, ["capabilities"]),
        ("healthcheck", {"tests": ["NONE"]}, []),
    ],
)
def test_a_changed_property_replaces_or_updates(key: str, value: object, replaces: list[str]) -> None:
    """Properties beyond the recording are replaced or updated as they were measured to be."""
    kind, olds, news = _recorded_container()

    verdict = diff(kind, olds, {**news, key: value})

    assert ([key], replaces) == (verdict["diffs"], verdict["replaces"])


def test_the_order_of_ports_is_no_difference() -> None:
    """Ports are a set, and so are the keys of each."""
    kind, olds, news = _recorded_container()
    ports = [dict(reversed(port.items())) for port in reversed(news["ports"])]

    assert diff(kind, olds, {**news, "ports": ports})["changes"] == "DIFF_NONE"


def _recorded_container() -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the type, outputs and inputs of a container without a difference."""
    call = next(c for c in CALLS if c["type"].endswith("Container") and c["method"] == "Diff")
    return call["type"], call["olds"], call["news"]
