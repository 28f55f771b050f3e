"""What a stack's settings say of certificates in files, found out before anything is declared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.certificates import in_files
from infra.settings import SettingsError, parse
from provisioner.certificates.authority import Pair, new_authority, sign
from provisioner.certificates.rehearsal import fingerprint

NOW = datetime.now(UTC)
AUTHORITY = new_authority("test", NOW)


def made(*hosts: str, age: int = 0) -> Pair:
    """A certificate that was made so many days ago, and lasts a year."""
    return sign(AUTHORITY, "test", list(hosts or ["127.0.0.1"]), NOW - timedelta(days=age))


def settings(folder: Path, pair: Pair, **more: str) -> Any:
    """A stack whose server shows it."""
    files = {"ca": AUTHORITY.cert, "cert": pair.cert, "key": pair.key}
    for name, text in files.items():
        (folder / name).write_text(text)
    paths = {name: str(folder / name) for name in files}
    return parse({"server": "process", "tls": "files", **paths, **more}, "dev")


def test_one_that_is_good(tmp_path: Path) -> None:
    """Its CA is an output of the stack, its SHA-256 tells it from the next one; it is soon to be renewed."""
    pair = made(age=350)
    found = in_files(settings(tmp_path, pair))
    assert found
    assert (found.ca, found.fingerprint) == (AUTHORITY.cert, fingerprint(pair.cert))
    assert [note.partition(": ends on ")[0] for note in found.notes] == [f"cert: {tmp_path / 'cert'}"]
    later = in_files(settings(tmp_path, made()))
    assert later
    assert later.notes == ()


@pytest.mark.parametrize(
    ("pair", "more", "problem"),
    [
        (made(age=400), {}, "has expired; renew it"),
        (made(), {"bindAddress": "10.0.0.1"}, "is not for 10.0.0.1, where clients of this stack connect"),
        (made("10.0.0.1"), {"bindAddress": "10.0.0.1", "nodes": "3"}, "is not for 127.0.0.1"),
        (made(), {"server": "docker", "nodes": "3"}, "is not for nats, where"),
        (made("127.0.0.1", "nats", "nats-2"), {"server": "docker", "nodes": "3"}, "is not for nats-3, where"),
    ],
)
def test_one_that_no_client_would_accept(tmp_path: Path, pair: Pair, more: dict[str, str], problem: str) -> None:
    """One line; the nodes of a cluster are clients too, at an address of their own."""
    with pytest.raises(SettingsError) as refused:
        in_files(settings(tmp_path, pair, **more))
    assert str(refused.value).startswith(f"settings of stack dev: cert: {tmp_path / 'cert'}: {problem}")
    assert "\n" not in str(refused.value)


def test_without_files() -> None:
    """There is nothing to look at."""
    for raw in ({"server": "process"}, {"server": "process", "tls": "authority"}):
        assert in_files(parse(raw, "dev")) is None
