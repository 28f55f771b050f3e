"""Pulumi is taken from PATH, the installer or the compiler, in this order; all three are stood in for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import paths as places
from tools.pulumi import build as compile_pulumi
from tools.pulumi import toolchain
from tools.subprocesses import ToolError

if TYPE_CHECKING:
    from pathlib import Path

VERSION = compile_pulumi.version()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and nothing of Pulumi's on PATH; returns the folder on PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(toolchain, "INSTALLER", f"file://{tmp_path}/no-such-installer")
    monkeypatch.setattr(compile_pulumi, "build", _refuse)
    return programs


def _refuse(_target: Path, _version: str) -> None:
    raise ToolError("compiling: not here")


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _on_path(machine: Path, version: str) -> None:
    _program(machine / "pulumi", f"echo {version}")
    _program(machine / "pulumi-language-python", "true")


def test_the_one_on_path_comes_first(machine: Path) -> None:
    """A recent Pulumi of the user's own is used, and nothing is fetched."""
    _on_path(machine, "v3.999.0")

    assert toolchain.ensure() is None


def test_one_that_is_too_old_is_passed_over(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An old Pulumi is named, and the next source is tried."""
    _on_path(machine, "v3.1.0")

    with pytest.raises(ToolError):
        toolchain.ensure()

    assert f"{machine}/pulumi is v3.1.0, older than" in capsys.readouterr().err


def test_the_installer_is_used_next(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installer is told the pinned version, a folder of ours, and to leave the shell's profile alone."""
    script = machine.parent / "install.sh"
    told = f'[ "$*" = "--version {VERSION} --install-root $4 --no-edit-path" ]'
    script.write_text(f'{told} && mkdir -p "$4/bin" && >"$4/bin/pulumi"\n')
    monkeypatch.setattr(toolchain, "INSTALLER", script.as_uri())

    folder = toolchain.ensure()

    assert folder == places.cache() / f"pulumi-{VERSION}" / "bin"
    assert [path.name for path in folder.iterdir()] == ["pulumi"]


def test_the_compiler_is_used_last_and_only_once(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an installer Pulumi is compiled into the shared cache, where the next run finds it."""
    built: list[str] = []

    def build(target: Path, version: str) -> None:
        (target / "bin").mkdir(parents=True)
        (target / "bin" / "pulumi").touch()
        built.append(version)

    monkeypatch.setattr(compile_pulumi, "build", build)

    assert machine.is_dir()
    assert toolchain.ensure() == toolchain.ensure()
    assert built == [VERSION]


def test_a_failed_attempt_leaves_nothing_that_looks_complete(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that dies half way is not taken for Pulumi by the next run."""

    def die(target: Path, _version: str) -> None:
        (target / "bin").mkdir(parents=True)
        (target / "bin" / "pulumi").touch()
        raise ToolError("compiling: killed")

    monkeypatch.setattr(compile_pulumi, "build", die)

    with pytest.raises(ToolError):
        toolchain.ensure()

    assert machine.is_dir()
    assert not (places.cache() / f"pulumi-{VERSION}").exists()


def test_nothing_to_be_had_is_one_clear_message(machine: Path) -> None:
    """The error says what was tried, what is needed and where to get it."""
    with pytest.raises(ToolError) as caught:
        toolchain.ensure()

    assert machine.is_dir()
    text = str(caught.value)
    assert text.startswith(f"Pulumi {toolchain.required_version()} or newer is needed and could not be had: ")
    assert "Pulumi's installer: failed" in text
    assert "compiling: not here" in text
    assert "Install it" in text
