"""The official prometheus-nats-exporter, compiled once from its Go module: go.mod pins it, go.sum has its checksums."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from tools.paths import ROOT, cache, locked
from tools.pulumi.build import go_environment, toolchain
from tools.subprocesses import run
from tools.versions import pinned

_MODULE: Final = "github.com/nats-io/prometheus-nats-exporter"
_HERE: Final = Path(__file__).parent
_COMPILE_TIMEOUT_S: Final = 600.0  # half a minute on two cores


def version() -> str:
    """The version that is pinned."""
    return pinned(str((_HERE / "go.mod").relative_to(ROOT)), rf"{_MODULE} v([0-9.]+)")


def program() -> Path:
    """Its path."""
    binary = cache() / f"exporter-{version()}" / "prometheus-nats-exporter"
    with locked(cache()), tempfile.TemporaryDirectory() as folder:
        if not binary.exists():
            title, go = "compiling the NATS exporter", toolchain(Path(folder))
            flags = ("-trimpath", "-ldflags", "-s -w", "-o", binary)
            run(title, [go, "build", *flags, _MODULE], timeout=_COMPILE_TIMEOUT_S, cwd=_HERE, env=go_environment())
    return binary
