"""Lines for the user during a run: Pulumi shows a provider's standard error under Diagnostics."""

from __future__ import annotations

import sys
from functools import cache


def notice(line: str) -> None:
    """Show a line now."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@cache
def notice_once(line: str) -> None:
    """Show a line, the same one never again: preview and up of one run share a process."""
    notice(line)
