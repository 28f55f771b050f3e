"""The Pulumi engine: the one on PATH, else the official installer's, else compiled from its Go modules."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.paths import ROOT, cache, locked, pinned
from tools.pulumi import build as compile_pulumi
from tools.stack_choice import recent_enough
from tools.subprocesses import ToolError, capture, run, say

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALLER = "https://get.pulumi.com"
CONNECT_DEADLINE = 10.0  # seconds for the name look-up and the connection: no route means no installer
DOWNLOAD_DEADLINE = 600.0  # seconds for 150 MB


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
    found = shutil.which("pulumi")
    if found is None or shutil.which("pulumi-language-python") is None:
        return False
    needed = required_version()
    try:
        there = capture([found, "version"], timeout=30, cwd=ROOT, env=os.environ).strip()
    except ToolError as error:
        say(f"{found} does not run and is passed over: {error}")
        return False
    if recent_enough(there, needed):
        return True
    say(f"{found} is {there}, older than {needed}, and is passed over")
    return False


def required_version() -> str:
    """Return the oldest engine that Pulumi.yaml accepts."""
    return pinned("Pulumi.yaml", r"^requiredPulumiVersion:.*?([0-9.]+)")


def _programs(folder: Path) -> bool:
    return (folder / "bin" / "pulumi").exists()


def _make(folder: Path, version: str) -> None:
    """Try each source into a folder that takes its name only once it is complete."""
    sources: tuple[Callable[[Path, str], None], ...] = (install, compile_pulumi.build)
    failures = []
    making = folder.with_name("making")
    for source in sources:
        shutil.rmtree(making, ignore_errors=True)  # what a killed run left
        try:
            source(making, version)
        except ToolError as error:
            say(str(error))
            failures.append(str(error).splitlines()[0])
        else:
            making.rename(folder)
            say(f"Pulumi {version} is in {folder}")
            return
    raise ToolError(
        f"Pulumi {required_version()} or newer is needed and could not be had: {'; '.join(failures)}.\n"
        "Install it (https://www.pulumi.com/docs/install/) and run this again.",
    )


def install(target: Path, version: str) -> None:
    """Let the official installer put Pulumi into a folder of ours, leaving the user's shell set-up alone.

    Raises:
        ToolError: it cannot be reached or fails.
    """
    say(f"Fetching Pulumi {version} with the official installer")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "install.sh"
        fetch = ["curl", "--fail", "--silent", "--show-error", "--location"]
        fetch += ["--connect-timeout", str(CONNECT_DEADLINE), "--output", str(script), INSTALLER]
        run("Pulumi's installer", fetch, timeout=2 * CONNECT_DEADLINE)
        options = ["--version", version, "--install-root", str(target), "--no-edit-path"]
        run("Pulumi's installer", ["sh", script, *options], timeout=DOWNLOAD_DEADLINE)
    if not _programs(target):
        raise ToolError("Pulumi's installer: left no program behind")
