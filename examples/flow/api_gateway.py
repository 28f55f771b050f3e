"""Shows predictions and explanations to clients, here on standard output: ``python -m examples.flow.api_gateway``."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from nats.aio.msg import Msg

from examples.flow.service import Service, run


async def serve(service: Service) -> None:
    """A line for each prediction and explanation; of each prediction a client wants to know why."""

    async def show_prediction(message: Msg, prediction: dict[str, Any]) -> None:
        print(json.dumps({"prediction": prediction, "headers": message.headers}), flush=True)
        await service.publish("explanations.request", prediction, message)

    async def show_explanation(message: Msg, explanation: dict[str, Any]) -> None:
        print(json.dumps({"explanation": explanation, "headers": message.headers}), flush=True)

    predictions = service.consume("PREDICTIONS", show_prediction)
    await asyncio.gather(predictions, service.consume("EXPLANATIONS", show_explanation))


if __name__ == "__main__":
    run("api-gateway", serve)
