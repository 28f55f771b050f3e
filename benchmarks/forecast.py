"""A preview that has to count what a change would delete, in one large stream."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from nats.js import JetStreamContext

from benchmarks import direct
from benchmarks.processes import BenchmarkError, Spent
from benchmarks.projects import Stack
from tests.support.nats_server import running

MESSAGES: Final = 1_000_000
SUBJECTS: Final = 20_000
_UNACKNOWLEDGED: Final = 1_000  # messages
_KEPT, _FEWER = MESSAGES // SUBJECTS, MESSAGES // SUBJECTS // 2  # messages of each subject
_STORE: Final = "max_file_store: 8GB, max_mem: 64MB"


@dataclass(frozen=True)
class Forecast:
    """What a preview took that would delete half of so many messages."""

    messages: int
    spent: Spent


def measure() -> Iterator[Forecast]:
    """The preview of an empty stream, then of a full one.

    Raises:
        BenchmarkError: it failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        url = stack.enter_context(running(folder / "nats", jetstream=_STORE)).url
        project = Stack(folder / Stack.label, url, checkpoints=False)
        project.make()
        _describe(project, _KEPT)
        project.pulumi("up", "--yes", "--skip-preview")
        _describe(project, _FEWER)
        preview = partial(project.pulumi, "preview", STREAMS_ALLOW_LOSS="LARGE")
        yield Forecast(0, preview())
        direct.spent(url, _publish)
        yield Forecast(MESSAGES, preview())


def _describe(project: Stack, of_each: int) -> None:
    text = f"LARGE:\n  purpose: Generated\n  subjects: [large.*]\n  max_msgs_per_subject: {of_each}\n"
    (project.folder / "streams.yaml").write_text(f"{text}  max_bytes: 1GiB\n")


async def _publish(js: JetStreamContext) -> None:
    """Every message, one in so many acknowledged: the server drops what comes faster than it can store."""
    client = js._nc  # noqa: SLF001 - acknowledged one by one they would take minutes
    for number in range(MESSAGES):
        send = js.publish if number % _UNACKNOWLEDGED == _UNACKNOWLEDGED - 1 else client.publish
        await send(f"large.{number % SUBJECTS}", b"x")
    stored = (await js.stream_info("LARGE")).state.messages
    if stored != MESSAGES:
        raise BenchmarkError(f"{stored:,} of {MESSAGES:,} messages are stored")
