"""The copies that were made before messages went: what is in them, read from a server of their own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from provisioner.backup.archive import MANIFEST
from provisioner.backup.progress import Meter
from provisioner.backup.restore import restore
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.nats_server import running
from tests.support.raw_nats import raw_client


def copied(folder: Path, names: Iterable[str], scratch: Path) -> dict[str, list[set[int]]]:
    """The numbers in every complete copy of each stream; a run that was killed may have left half of one.

    Args:
        folder: of all copies, one folder a run.
        names: of the streams.
        scratch: for the server's files.
    """
    found = {name: [each.parent for each in folder.glob(f"*/{name}/{MANIFEST}")] for name in names}
    if not any(found.values()):
        return {name: [] for name in found}
    with running(scratch) as server:
        return {name: [_numbers(server.url, copy) for copy in copies] for name, copies in found.items()}


def _numbers(url: str, copy: Path) -> set[int]:
    """Restore it, read it, and make room for the next one."""
    with closing(JetStream(url, Credentials())) as client, raw_client(url) as raw:
        info = restore(client, copy, Meter().show)
        numbers = raw.numbers(info.config["name"])
        client.delete(copy.name)
    return numbers
