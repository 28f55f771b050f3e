"""The example program, with the package as pip installs it from a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import ROOT, Project
from tests.support.nats_server import NatsServer

EXAMPLE = ROOT / "examples/own-program"
_TIMEOUT_S = 120.0
_OFFLINE = ("--no-index", "--no-deps", "--quiet", "--disable-pip-version-check")
# What a wheel is built from.
_SOURCES = ("pyproject.toml", "README.md", "LICENSE")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An environment elsewhere that has the wheel, and of this one's packages what that needs."""
    source, place = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(ROOT / "provisioner", source / "provisioner", ignore=shutil.ignore_patterns("__pycache__"))
    for name in _SOURCES:
        shutil.copy(ROOT / name, source)
    _pip("wheel", *_OFFLINE, "--no-build-isolation", "--wheel-dir", tmp_path, source)
    venv.create(place)
    (site,) = place.glob("lib/python*/site-packages")
    (site / "needed.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    (wheel,) = tmp_path.glob("*.whl")
    _pip("--python", place / "bin/python", "install", *_OFFLINE, wheel)
    return place


def test_the_example_with_a_wheel(installed: Path, project: Project, server: NatsServer, jetstream: JetStream) -> None:
    """It comes up, finds nothing to do again and goes; the command line asks for the catalogue that it lacks."""
    for part in project.folder.iterdir():
        if part.is_symlink():
            part.unlink()
    for name in ("__main__.py", "audit.yaml"):
        shutil.copy(EXAMPLE / name, project.folder)
    example = (EXAMPLE / "Pulumi.yaml").read_text()
    (project.folder / "Pulumi.yaml").write_text(example.replace("own-program", "prediction-streams"))
    (project.folder / ".venv").symlink_to(installed)
    # A language host that is compiled as the toolchain does it takes the first Python of PATH.
    project.environment["PATH"] = f"{installed / 'bin'}{os.pathsep}{project.environment['PATH']}"
    project.configure(url=server.url)
    project.up()
    names = ["ARCHIVE", "AUDIT", "KV_sessions", "OBJ_invoices", "ORDERS"]
    assert names == sorted(jetstream.streams())
    assert project.unchanged()
    project.destroy()
    assert {} == jetstream.streams()

    command = [str(installed / "bin/streams"), "validate"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, cwd=project.folder)
    assert (1, "") == (told.returncode, told.stdout)
    assert "no catalogue is named, and this installation has none of its own: give --catalogue FILE\n" == told.stderr
    assert [*installed.glob("lib/python*/site-packages/provisioner/py.typed")]


def _pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    assert ran.returncode == 0, ran.stderr
