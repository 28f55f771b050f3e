"""Whether Pulumi's docker plugin is on this machine. Standard library only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PLUGIN = "pulumi-resource-docker"


def plugin_installed(version: str = "*") -> bool:
    """Tell whether Pulumi's engine will find its docker plugin, in any version or in this one."""
    plugins = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
    return any(plugins.glob(f"resource-docker-v{version}/{PLUGIN}*")) or shutil.which(PLUGIN) is not None
