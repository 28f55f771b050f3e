"""The systemd units in examples/: what is in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def executed(unit: str, key: str) -> list[str]:
    """The values of a key, by the unit's path from the root, with systemd's specifiers as they are."""
    return re.findall(rf"^{key}=(.*)$", (ROOT / unit).read_text(), re.MULTILINE)
