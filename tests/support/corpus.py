"""Examples that were once got wrong, a line of JSON each: found by chance, then tried in every run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "corpus"


def read(name: str) -> list[dict[str, Any]]:
    """The examples of a file, in its order."""
    return [json.loads(line) for line in _file(name).read_text().splitlines()]


@contextmanager
def replayable(name: str, example: dict[str, Any]) -> Iterator[None]:
    """Add to any failure the line by which it is tried again in every run."""
    try:
        yield
    except Exception as error:
        file = _file(name).relative_to(FOLDER.parents[1])
        error.add_note(f"To try it in every run, add this line to {file}:\n{json.dumps(example, ensure_ascii=True)}")
        raise


def _file(name: str) -> Path:
    return FOLDER / f"{name}.jsonl"
