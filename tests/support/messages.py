"""A message in each of the five streams, and proof that it is still there."""

from __future__ import annotations

import base64
import json
from contextlib import closing

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials

SUBJECTS = {
    "MARKET_DATA": "market.data.ohlcv",
    "PREDICTIONS": "predictions.normal.a",
    "EXPLANATIONS": "explanations.request",
    "MODEL_METRICS": "metrics.model.normal",
    "ROUTING": "routing.decision",
}


def publish_one_each(url: str) -> None:
    """Publish to every stream and wait for each acknowledgement."""
    with closing(JetStream(url, Credentials())) as client:
        for name, subject in SUBJECTS.items():
            acknowledged = json.loads(client.connection.request(subject, f"to {name}".encode()))
            assert name == acknowledged["stream"]


def read_one_each(url: str) -> list[str]:
    """The first message of every stream."""
    with closing(JetStream(url, Credentials())) as client:
        return [_first(client, name) for name in SUBJECTS]


def _first(client: JetStream, name: str) -> str:
    answer = client.request(f"STREAM.MSG.GET.{name}", {"seq": 1})
    return base64.b64decode(answer["message"]["data"]).decode()


EXPECTED = [f"to {name}" for name in SUBJECTS]
