"""Write the generated documents: ``python docs/generate.py``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))  # run as a file, so that the checkout is not on the path

from docs.data_safety import page  # noqa: E402 - needs the line above
from docs.services_schema import schema  # noqa: E402 - as above
from docs.signatures import MODULES  # noqa: E402 - as above
from docs.terminal import picture  # noqa: E402 - as above

# What is generated: file, the file it is made from, how.
GENERATED: Final = (
    ("data-safety.md", "data-safety.template.md", page),
    ("up.svg", "walkthrough.md", picture),
    ("../infra/services.schema.json", "../infra/services.yaml", schema),
    *MODULES,
)

if __name__ == "__main__":
    for name, source, make in GENERATED:
        (DOCS / name).write_text(make((DOCS / source).read_text()))
