"""The Pulumi engine: the one on PATH, else the official installer's, else compiled from its Go modules."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.log import tell
from tools.paths import ROOT, cache, locked
from tools.pulumi import build as compile_pulumi
from tools.subprocesses import ToolError, capture, run
from tools.versions import pinned, recent_enough

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALLER = "https://get.pulumi.com"
CONNECT_TIMEOUT_S = 10.0  # for the name look-up and the connection: no route means no installer
DOWNLOAD_TIMEOUT_S = 600.0  # for 150 MB
VERSION_TIMEOUT_S = 30.0


def ensure() -> Path | None:
    """Return the folder of Pulumi's programs, or None when those on PATH will do.

    Raises:
        ToolError: there is none to be had, with what to install.
    """
    if _on_path():
        return None
    version = compile_pulumi.version()
    folder = cache() / f"pulumi-{version}"
    if not _programs(folder):
        with locked(cache()):
            if not _programs(folder):
                _make(folder, version)
    return folder / "bin"


def _on_path() -> bool:
    program = shutil.which("pulumi")
    if program is None or shutil.which("pulumi-language-python") is None:
        return False
    try:
        version = capture([program, "version"], timeout=VERSION_TIMEOUT_S, cwd=ROOT, env=os.environ).strip()
    except ToolError as error:
        tell(f"{program} does not run and is passed over: {error}")
        return False
    if recent_enough(version, required_version()):
        return True
    tell(f"{program} is {version}, older than {required_version()}, and is passed over")
    return False


def required_version() -> str:
    """Return the oldest engine that Pulumi.yaml accepts."""
    return pinned("Pulumi.yaml", r"^requiredPulumiVersion:.*?([0-9.]+)")


def _programs(folder: Path) -> bool:
    return (folder / "bin" / "pulumi").exists()


def _make(folder: Path, version: str) -> None:
    """Try each source into a folder that takes its name only once it is complete."""
    sources: tuple[Callable[[Path, str], None], ...] = (install, compile_pulumi.build)
    problems = []
    unfinished = folder.with_name("making")
    for source in sources:
        shutil.rmtree(unfinished, ignore_errors=True)  # what a killed run left
        try:
            source(unfinished, version)
        except ToolError as error:
            tell(str(error))
            problems.append(str(error).splitlines()[0])
        else:
            unfinished.rename(folder)
            tell(f"Pulumi {version} is in {folder}")
            return
    raise ToolError(
        f"Pulumi {required_version()} or newer is needed and could not be had: {'; '.join(problems)}.\n"
        "Install it (https://www.pulumi.com/docs/install/) and run this again.",
    )


def install(target: Path, version: str) -> None:
    """Let the official installer put Pulumi into a folder of ours, leaving the user's shell set-up alone.

    Raises:
        ToolError: it cannot be reached or fails.
    """
    tell(f"Fetching Pulumi {version} with the official installer")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "install.sh"
        fetch = ["curl", "--fail", "--silent", "--show-error", "--location"]
        fetch += ["--connect-timeout", str(CONNECT_TIMEOUT_S), "--output", str(script), INSTALLER]
        run("Pulumi's installer", fetch, timeout=2 * CONNECT_TIMEOUT_S)
        options = ["--version", version, "--install-root", str(target), "--no-edit-path"]
        run("Pulumi's installer", ["sh", script, *options], timeout=DOWNLOAD_TIMEOUT_S)
    if not _programs(target):
        raise ToolError("Pulumi's installer: left no program behind")
