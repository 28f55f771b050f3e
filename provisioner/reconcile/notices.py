"""Lines for the user during a run: Pulumi shows a provider's standard error under Diagnostics."""

from __future__ import annotations

from functools import cache

from provisioner.log import tell


@cache
def notice_once(line: str) -> None:
    """Show a line, the same one never again: preview and up of one run share a process."""
    tell(line)
