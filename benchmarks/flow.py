"""The message flow end to end: with the stack's streams and consumers, and with those that plain nats-py makes.

Five hops in a row, each an asynchronous pull consumer that publishes to the next, all in one process beside the server.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from rich import box
from rich.table import Table

from provisioner.catalogue.reader import load
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.consumers import make
from provisioner.jetstream.target import Credentials
from tests.support.nats_server import running

Prepare = Callable[[str], Awaitable[None]]

_CATALOGUE: Final = Path(__file__).parents[1] / "infra/streams.yaml"
_STORE: Final = "max_file_store: 40GB, max_mem: 64MB, sync_interval: always"
_ROUNDS: Final = 15
_MESSAGES, _AT_ONCE, _ONE_BY_ONE, _BATCH = 2000, 64, 300, 50
_TIMEOUT_S: Final = 300.0
_WAIT_S: Final = 5.0
_BAR: Final = b'{"symbol": "ACME", "open": 17.0, "high": 17.5, "low": 16.75, "close": 17.25, "volume": 1200}'


@dataclass(frozen=True)
class Hop:
    """A stream, what is published to it, and who takes it from there."""

    stream: str
    subject: str
    consumer: str


HOPS: Final = (
    Hop("MARKET_DATA", "market.data.ohlcv", "routing-agent"),
    Hop("ROUTING", "routing.decision", "prediction-agent-normal"),
    Hop("PREDICTIONS", "predictions.normal.ACME", "api-gateway"),
    Hop("EXPLANATIONS", "explanations.request", "explanation-worker"),
    Hop("EXPLANATIONS", "explanations.response", "api-gateway"),
)


@dataclass(frozen=True)
class Figures:
    """What one contender did in one round.

    Attributes:
        rate: messages a second from the first hop to behind the last.
        latencies: seconds of each message that was alone on its way, sorted.
    """

    rate: float
    latencies: list[float]

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the messages took at most."""
        return 1000 * self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


async def stack(url: str) -> None:
    """The committed catalogue's streams and consumers, as the provider makes them."""
    await asyncio.to_thread(_made, url)


def _made(url: str) -> None:
    catalogue = load(_CATALOGUE)
    with closing(JetStream(url, Credentials())) as client:
        for spec in catalogue.streams:
            client.create(spec.config)
        for hop in catalogue.consumers:
            make(client, hop.stream, hop.config)


async def plain(url: str) -> None:
    """Streams with nothing but subjects, and the consumers that ``pull_subscribe`` makes."""
    connection = await nats.connect(url)
    js = connection.jetstream()
    for name in dict.fromkeys(hop.stream for hop in HOPS):
        await js.add_stream(name=name, subjects=[hop.subject for hop in HOPS if hop.stream == name])
    for hop in HOPS:
        await js.pull_subscribe(hop.subject, durable=hop.consumer, stream=hop.stream)
    await connection.close()


CONTENDERS: Final[dict[str, Prepare]] = {"stack": stack, "nats-py": plain}


def measure() -> Iterator[tuple[str, Figures]]:
    """Each contender in turn on a server of its own, several times, so that a busy machine slows both."""
    for number in range(_ROUNDS):
        for name in [*CONTENDERS][:: -1 if number % 2 else 1]:
            with (
                tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
                running(Path(folder) / "nats", jetstream=_STORE) as server,
            ):
                yield name, asyncio.run(asyncio.wait_for(_round(server.url, CONTENDERS[name]), _TIMEOUT_S))


async def _round(url: str, prepare: Prepare) -> Figures:
    await prepare(url)
    connection = await nats.connect(url)
    js, arrived = connection.jetstream(), asyncio.Queue[float]()
    workers = [asyncio.create_task(_work(js, number, arrived)) for number in range(len(HOPS))]
    try:
        return Figures(await _rate(js, arrived), sorted([await _latency(js, arrived) for _ in range(_ONE_BY_ONE)]))
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await connection.close()


async def _rate(js: JetStreamContext, arrived: asyncio.Queue[float]) -> float:
    turns, began = asyncio.Semaphore(_AT_ONCE), time.perf_counter()

    async def publish() -> None:
        async with turns:
            await js.publish(HOPS[0].subject, _BAR)

    publishing = asyncio.gather(*(publish() for _ in range(_MESSAGES)))
    for _ in range(_MESSAGES):
        last = await arrived.get()
    await publishing
    return _MESSAGES / (last - began)


async def _latency(js: JetStreamContext, arrived: asyncio.Queue[float]) -> float:
    began = time.perf_counter()
    await js.publish(HOPS[0].subject, _BAR)
    return await arrived.get() - began


async def _work(js: JetStreamContext, number: int, arrived: asyncio.Queue[float]) -> None:
    hop, following = HOPS[number], HOPS[number + 1 : number + 2]
    consumer = await js.pull_subscribe_bind(durable=hop.consumer, stream=hop.stream)
    while True:
        try:
            messages = await consumer.fetch(_BATCH, timeout=_WAIT_S)
        except TimeoutError:
            continue
        await asyncio.gather(*(_pass_on(js, message, following, arrived) for message in messages))


async def _pass_on(
    js: JetStreamContext, message: Msg, following: tuple[Hop, ...], arrived: asyncio.Queue[float]
) -> None:
    for hop in following:
        await js.publish(hop.subject, message.data)
    await message.ack()
    if not following:
        arrived.put_nowait(time.perf_counter())


def table(measured: list[tuple[str, Figures]]) -> Table:
    """Medians over the rounds; the ratio is that of the rounds' ratios, as neighbours in time are slowed alike."""
    drawn = Table("", *CONTENDERS, "ratio", box=box.MARKDOWN)
    rows: dict[str, Callable[[Figures], float]] = {
        "messages/s end to end": lambda figures: figures.rate,
        "p50, ms": lambda figures: figures.percentile(0.5),
        "p99, ms": lambda figures: figures.percentile(0.99),
    }
    for heading, value in rows.items():
        ours, theirs = ([value(figures) for name, figures in measured if name == who] for who in CONTENDERS)
        ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
        drawn.add_row(heading, f"{median(ours):,.1f}", f"{median(theirs):,.1f}", f"{ratio:.2f}")
    return drawn
