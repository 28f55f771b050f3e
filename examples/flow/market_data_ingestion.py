"""Market data to MARKET_DATA: ``python -m examples.flow.market_data_ingestion``."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from itertools import count

from examples.flow.service import Service, run

INTERVAL_S = 1.0
SYMBOLS = ("ACME", "GLOBEX")


async def ingest(service: Service) -> None:
    """A bar a second for each symbol, where a provider's feed would be."""
    for number in count():
        for symbol in SYMBOLS:
            close = 100 + number % 7
            bar = {"symbol": symbol, "open": 100, "high": close + 1, "low": 99, "close": close, "volume": 1000}
            await service.publish("market.data.ohlcv", bar, new_headers={"Trace": str(uuid.uuid4())})
        with suppress(TimeoutError):
            await asyncio.wait_for(service.stopping.wait(), INTERVAL_S)
        if service.stopping.is_set():
            return


if __name__ == "__main__":
    run("market-data-ingestion", ingest)
