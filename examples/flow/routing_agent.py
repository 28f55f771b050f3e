"""Decides which agent predicts: ``python -m examples.flow.routing_agent``."""

from __future__ import annotations

from typing import Any

from nats.aio.msg import Msg

from examples.flow.service import Service, run

REPORTING_TODAY = {"GLOBEX"}


async def route(service: Service) -> None:
    """A decision for each bar; other market data has none."""

    async def decide(message: Msg, bar: dict[str, Any]) -> None:
        if message.subject == "market.data.ohlcv":
            agent = "earnings" if bar["symbol"] in REPORTING_TODAY else "normal"
            await service.publish("routing.decision", {"agent": agent, "bar": bar}, message)

    await service.consume("MARKET_DATA", decide)


if __name__ == "__main__":
    run("routing-agent", route)
