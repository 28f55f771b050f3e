"""What is generated is committed as it would be generated now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from docs.generate import DOCS, GENERATED


@pytest.mark.parametrize(("name", "source", "make"), GENERATED)
def test_the_committed_file_is_current(
    name: str, source: str, make: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of the field table, a loss rule, a message or the walkthrough comes with it: make docs."""
    monkeypatch.delenv("STREAMS_ALLOW_LOSS", raising=False)
    assert make((DOCS / source).read_text()) == (DOCS / name).read_text()
