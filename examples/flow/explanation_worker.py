"""Explains predictions, some of them on request: ``python -m examples.flow.explanation_worker``."""

from __future__ import annotations

import asyncio
from typing import Any

from nats.aio.msg import Msg

from examples.flow.service import Service, run

NOTABLE = 0.05
STEPS = 2


async def explain(service: Service) -> None:
    """Every request, and each prediction of more than so much change."""

    async def answer(message: Msg, prediction: dict[str, Any]) -> None:
        for _ in range(STEPS):  # a model that takes minutes; the consumer is told that the work goes on
            await message.in_progress()
        text = f"{prediction['symbol']}: from {prediction['now']} to {prediction['next']}"
        await service.publish("explanations.response", {"text": text}, message)

    async def look(message: Msg, prediction: dict[str, Any]) -> None:
        if abs(prediction["next"] / prediction["now"] - 1) > NOTABLE:
            await answer(message, prediction)

    await asyncio.gather(service.consume("PREDICTIONS", look), service.consume("EXPLANATIONS", answer))


if __name__ == "__main__":
    run("explanation-worker", explain)
