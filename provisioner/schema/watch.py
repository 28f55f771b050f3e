"""What is worth an alert, of a stream and of a consumer: read by status and by alert rules, never sent to a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provisioner.schema.scalars import Count, Duration, Percent
from provisioner.schema.types import Field, FieldPath, Record, Report, Wire


@dataclass(frozen=True)
class LevelsOf(Record):
    """Two levels of one figure, of which the second is graver."""

    def read(self, value: object, at: FieldPath, report: Report) -> Wire:
        """The levels; a critical one below the warning is reported."""
        levels = super().read(value, at, report)
        if levels and None not in levels.values() and levels["critical"] < levels["warning"]:
            report(at, "has a critical level below the warning")
        return levels


USED: Final = LevelsOf(
    (
        Field("warning", Percent(), 80, "Share that is a warning."),
        Field("critical", Percent(), 95, "Share that is critical."),
    )
)
_COUNTS: Final = LevelsOf(
    (
        Field("warning", Count(), None, "Number above which there is a warning."),
        Field("critical", Count(), None, "Number above which it is critical."),
    )
)

STREAM_WATCH: Final = Record(
    (
        Field("expect_every", Duration(), 0, "Longest time without a new message; 0 for any."),
        Field("used", USED, None, "Shares of max_bytes and max_msgs; not judged of a stream that is meant to be full."),
    )
)
CONSUMER_WATCH: Final = Record(
    (
        Field("lag", _COUNTS, None, "Messages that are yet to be delivered."),
        Field("unacknowledged", _COUNTS, None, "Messages that are delivered and not yet acknowledged."),
        Field("redelivered", _COUNTS, None, "Messages that were delivered again and are not yet acknowledged."),
    )
)
