"""How a report shows what is how grave."""

from __future__ import annotations

from typing import Final

from provisioner.status.server_checks import Severity

COLOURS: Final = {
    Severity.OK: "green",
    Severity.WARNING: "yellow",
    Severity.CRITICAL: "bold red",
    Severity.UNKNOWN: "magenta",
}
