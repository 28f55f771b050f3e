"""When the last successful up ended, out of what Pulumi keeps of its runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import ProvisionerError
from provisioner.status.history import last_successful_up


def run(kind: str, result: str, end: Any) -> dict[str, Any]:
    """A run as a history has it, as far as anybody looks."""
    return {"kind": kind, "result": result, "endTime": end}


def test_the_newest_up_that_succeeded(tmp_path: Path) -> None:
    """Neither a preview nor a refresh, and none that failed."""
    history = tmp_path / "history.json"
    runs = [
        run("refresh", "succeeded", "2026-01-05T00:00:00.000Z"),
        run("update", "failed", "2026-01-04T00:00:00.000Z"),
        run("update", "succeeded", "2026-01-03T00:00:00.000Z"),
        run("update", "succeeded", "2026-01-02T00:00:00.000Z"),
    ]
    history.write_text(json.dumps(runs))

    assert datetime(2026, 1, 3, tzinfo=UTC) == last_successful_up(history)


def test_the_folder_of_a_local_backend(tmp_path: Path) -> None:
    """A file for each run, with seconds since 1970; the checkpoints beside them are none."""
    for number, result in ((1, "succeeded"), (2, "succeeded"), (3, "failed")):
        (tmp_path / f"dev-{number}.history.json").write_text(json.dumps(run("update", result, number)))
        (tmp_path / f"dev-{number}.checkpoint.json").write_text("{}")

    assert datetime.fromtimestamp(2, UTC) == last_successful_up(tmp_path)


def test_no_up_yet(tmp_path: Path) -> None:
    """Nothing is known, which is no error."""
    assert None is last_successful_up(tmp_path)


@pytest.mark.parametrize(
    "text", ["{", "{}x", '[{"kind": "update"}]', "[1]", '[{"kind": "update", "result": "succeeded", "endTime": "x"}]']
)
def test_what_is_no_history(tmp_path: Path, text: str) -> None:
    """One line with the file, and how to write one."""
    (tmp_path / "history.json").write_text(text)
    with pytest.raises(ProvisionerError) as caught:
        last_successful_up(tmp_path / "history.json")
    assert f"{tmp_path}/history.json: is no history; write it with pulumi stack history --json" == str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    """One line, with the reason."""
    with pytest.raises(ProvisionerError) as caught:
        last_successful_up(tmp_path / "none")
    assert f"{tmp_path}/none: cannot be read: No such file or directory" == str(caught.value)
