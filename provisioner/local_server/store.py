"""What a stopped server's data folder holds, by the names of its files."""

from __future__ import annotations

from pathlib import Path


def stream_names(data: Path) -> set[str]:
    """The streams of every account. Source: nats-server's layout, jetstream/ACCOUNT/streams/NAME.

    One that is deleted is renamed to .NAME, and its files go one by one after that.
    """
    return {folder.name for folder in data.glob("jetstream/*/streams/[!.]*") if folder.is_dir()}
