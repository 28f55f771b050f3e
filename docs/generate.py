"""Write the generated documents: ``python docs/generate.py``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))  # run as a file, so that the checkout is not on the path

from docs.data_safety import page  # noqa: E402 - needs the line above

if __name__ == "__main__":
    template = DOCS / "data-safety.template.md"
    (DOCS / "data-safety.md").write_text(page(template.read_text()))
