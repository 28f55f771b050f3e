"""Manifests, and what they say was lost while a backup was written."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.backup.archive import Manifest, most_removed, read_manifest
from provisioner.backup.completeness import may_have_expired
from provisioner.backup.progress import Meter
from provisioner.cli import backup as command
from provisioner.cli.main import main
from provisioner.errors import BackupError


def _state(messages: int, last_seq: int) -> dict[str, int]:
    return {"messages": messages, "last_seq": last_seq}


@pytest.mark.parametrize(
    ("then", "now", "gone"),
    [
        (_state(10, 10), _state(10, 10), 0),
        (_state(10, 10), _state(15, 15), 0),
        (_state(10, 10), _state(10, 13), 3),
        (_state(10, 10), _state(0, 10), 10),
        (_state(10, 10), _state(2, 40), 10),
        (_state(4, 10), _state(3, 10), 1),
        (_state(0, 0), _state(7, 7), 0),
    ],
)
def test_messages_that_left_meanwhile(then: dict[str, int], now: dict[str, int], gone: int) -> None:
    """What arrived after the snapshot began is not counted as having been there."""
    assert gone == most_removed(then, now)


@given(kept=st.sets(st.integers(1, 50)), new=st.sets(st.integers(51, 80)), left=st.sets(st.integers(1, 50)))
def test_never_fewer_than_really_left(kept: set[int], new: set[int], left: set[int]) -> None:
    """With gaps among the new it is a bound, and without them exact."""
    last = max(new, default=50)
    gone = most_removed(_state(len(kept), 50), _state(len((kept - left) | new), last))
    assert len(kept) >= gone >= len(kept & left)
    if len(new) == last - 50:
        assert gone == len(kept & left)


SAVED = Manifest(
    config={"name": "A", "max_age": 0},
    state={"messages": 3, "first_ts": "2020-01-01T00:00:00.123456789Z"},
    consumers={"c": 1},
    removed=0,
    created="2020-01-01T00:00:00Z",
    time="2026-01-01T00:00:00+00:00",
    bytes=7,
    sha256="ab",
)


@pytest.mark.parametrize(
    ("config", "expires"),
    [({}, False), ({"max_age": 10**9}, True), ({"max_age": 2**63 - 1}, False), ({"allow_msg_ttl": True}, True)],
)
def test_messages_may_have_expired(config: dict[str, object], expires: bool) -> None:
    """Only an age limit excuses messages that are not there after a restore."""
    assert expires == may_have_expired(Manifest(**{**asdict(SAVED), "config": {"name": "A", **config}}))


@given(text=st.binary(max_size=60))
def test_no_manifest(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    """Whatever stands in it, a broken manifest is one line."""
    file = tmp_path_factory.mktemp("backup") / "backup.json"
    file.write_bytes(text)
    with pytest.raises(BackupError, match=r"backup\.json is not one of this program's"):
        read_manifest(file)


def test_progress_is_shown_after_a_second(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing for what is quick, then ever more seldom."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    meter = Meter()
    for tenth in range(80):
        clock[0] = tenth / 10
        meter.show("A", tenth * 1024**2, 80 * 1024**2 if tenth > 40 else None)
    assert capsys.readouterr().err.splitlines() == [
        "A: 10.0 MiB so far",
        "A: 30.0 MiB so far",
        "A: 70.0 MiB of 80.0 MiB so far",
    ]


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ctrl-C is a word, not a traceback."""

    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", interrupt)
    assert main(["backup", "A", "--to", str(tmp_path)]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")
