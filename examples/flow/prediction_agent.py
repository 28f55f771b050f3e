"""Predictions of one kind, normal or earnings: ``python -m examples.flow.prediction_agent normal``."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from nats.aio.msg import Msg

from examples.flow.service import Service, run

KINDS = ("normal", "earnings")


async def predict(service: Service) -> None:
    """Market data is remembered; a decision that names this agent becomes a prediction."""
    kind = service.name.removeprefix("prediction-agent-")
    closes: dict[str, float] = {}

    async def remember(_message: Msg, data: dict[str, Any]) -> None:
        if "close" in data:
            closes[data["symbol"]] = data["close"]

    async def decide(message: Msg, decision: dict[str, Any]) -> None:
        if decision["agent"] == kind:
            bar, symbol = decision["bar"], decision["bar"]["symbol"]
            content = {
                "symbol": symbol,
                "now": bar["close"],
                "next": 2 * bar["close"] - closes.get(symbol, bar["open"]),
            }
            await service.publish(f"predictions.{kind}.{symbol}", content, message)

    await asyncio.gather(service.consume("MARKET_DATA", remember), service.consume("ROUTING", decide))


if __name__ == "__main__":
    if sys.argv[1:] not in [[kind] for kind in KINDS]:
        sys.exit(f"usage: python -m examples.flow.prediction_agent {' | '.join(KINDS)}")
    run(f"prediction-agent-{sys.argv[1]}", predict)
