"""The setting ``monitoring`` where the stack has no Docker: files for somebody's Prometheus and Grafana."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Project
from tests.support.ports import free_port
from tests.support.prometheus import promtool

COMPOSE = "compose.yaml"
CA = "exporter/ca.pem"
RULES = "prometheus/rules/streams.yml"


@pytest.fixture
def watched(project: Project) -> Project:
    """A stack with a server of its own, which is to be watched."""
    ports = {"clientPort": free_port(), "monitorPort": free_port()}
    project.configure(
        server="process", onDelete="delete", monitoring=True, catalogue="streams.yaml", tls="authority", **ports
    )
    project.catalogue(ORDERS={"subjects": ["orders.*"]})
    return project


def outputs(project: Project) -> dict[str, Any]:
    """What the stack says, with its secrets."""
    found: dict[str, Any] = json.loads(project.pulumi("stack", "output", "--json", "--show-secrets").text)
    return found


def folder(project: Project) -> Path:
    """Where the files are."""
    return project.folder / "monitoring" / project.stack


def written(project: Project) -> set[str]:
    """The files, by their paths."""
    return {str(file.relative_to(folder(project))) for file in folder(project).rglob("*") if file.is_file()}


def test_the_life_of_the_files(watched: Project) -> None:
    """They are healed, follow the catalogue, and go with the setting."""
    assert watched.preview().code == 0
    watched.up()
    assert watched.unchanged()
    found = outputs(watched)
    assert {COMPOSE, CA, RULES} < written(watched)
    assert found["ca"] == (folder(watched) / CA).read_text()
    assert f"{folder(watched)}/{COMPOSE}" in found["monitoring"]["run_containers"]
    services = yaml.safe_load((folder(watched) / COMPOSE).read_text())["services"]
    assert f"https://127.0.0.1:{watched.settings['monitorPort']}" == services["exporter"]["command"][-1]
    checked = promtool("check", "config", str(folder(watched) / "prometheus/prometheus.yml"))
    assert (0, "") == (checked.returncode, checked.stderr)

    (folder(watched) / RULES).write_text("groups: []\n")
    (folder(watched) / COMPOSE).unlink()
    (folder(watched) / "own.txt").write_text("mine")
    drift = watched.drift()
    assert "Files" in drift
    watched.up()
    assert "groups: []" not in (folder(watched) / RULES).read_text()
    assert COMPOSE in written(watched)

    watched.catalogue(BILLS={"subjects": ["bills.*"]})
    watched.up()
    assert "BILLS" in (folder(watched) / RULES).read_text()

    settings = {key: value for key, value in watched.settings.items() if key != "monitoring"}
    watched.configure(**settings)
    watched.up()
    assert {"own.txt"} == written(watched)


def test_what_is_somebody_s_is_not_written_over(watched: Project) -> None:
    """But the same text is no loss: a stack that has lost its state has its files again."""
    watched.up()
    before = written(watched)
    assert watched.pulumi("stack", "rm", "--yes", "--force", "--preserve-config", watched.stack).code == 0
    assert watched.pulumi("stack", "init", watched.stack).code == 0
    (folder(watched) / CA).unlink()  # of an authority that is lost
    watched.up()
    assert before == written(watched)

    watched.destroy()
    assert not folder(watched).exists()
    mine = folder(watched) / RULES
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    run = watched.pulumi("up", "--yes")
    assert run.code != 0
    assert f"{mine}: is there already, and this stack did not write it; move it away, or remove it" in run.text
    assert "Traceback" not in run.text
    assert mine.read_text() == "mine"
