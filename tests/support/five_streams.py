"""The streams of the prediction system, as its services' own document has them."""

from __future__ import annotations

from typing import NamedTuple

_GIB = 1024**3


class Expected(NamedTuple):
    """What the document says of a stream; all else is JetStream's default."""

    subjects: list[str]
    days: int
    max_bytes: int
    example: str

    @property
    def max_age_ns(self) -> int:
        """``days`` in the wire's nanoseconds."""
        return self.days * 24 * 60 * 60 * 10**9


FIVE_STREAMS = {
    "MARKET_DATA": Expected(
        ["market.data.ohlcv", "market.data.news", "market.data.economic"], 7, 10 * _GIB, "market.data.ohlcv"
    ),
    "PREDICTIONS": Expected(["predictions.normal.*", "predictions.earnings.*"], 30, 5 * _GIB, "predictions.normal.a"),
    "EXPLANATIONS": Expected(["explanations.request", "explanations.response"], 30, 2 * _GIB, "explanations.request"),
    "MODEL_METRICS": Expected(
        ["metrics.model.normal", "metrics.model.earnings", "metrics.model.evaluation"],
        90,
        1 * _GIB,
        "metrics.model.normal",
    ),
    "ROUTING": Expected(["routing.decision", "routing.event"], 7, _GIB // 2, "routing.decision"),
}
