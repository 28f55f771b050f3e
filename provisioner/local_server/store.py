"""What a stopped server's data folder holds, by the names of its files."""

from __future__ import annotations

from pathlib import Path


def stream_names(data: Path) -> set[str]:
    """The streams of every account. Source: nats-server's layout, jetstream/ACCOUNT/streams/NAME.

    A name with a dot before it is what is left of a stream that was deleted, until the server comes to remove it.
    """
    return {folder.name for folder in data.glob("jetstream/*/streams/[!.]*") if folder.is_dir()}
