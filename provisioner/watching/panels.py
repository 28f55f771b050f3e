"""The two kinds of panel that the dashboard has: one number, and curves over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

# Grafana's ids of units.
BYTES: Final = "bytes"
PER_SECOND: Final = "cps"
SECONDS: Final = "s"
SINCE: Final = "dtdurations"
COUNT: Final = "short"

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_GOOD: Final = "green"
_BAD: Final = "red"
_HEIGHT: Final = 8
_LOW: Final = 4


@dataclass(frozen=True)
class Query:
    """PromQL, and what its curve is called."""

    expression: str
    legend: str = ""

    def built(self, number: int) -> prometheus.Dataquery:
        """The query of a panel; ``number`` is its place among them."""
        return prometheus.Dataquery().expr(self.expression).legend_format(self.legend).ref_id(f"Q{number}")


@dataclass(frozen=True)
class Number:
    """One figure as it is now.

    Attributes:
        most: from 1 above it on it is red; None for never.
        least: below it it is red; None for never.
    """

    title: str
    query: Query
    unit: str = COUNT
    most: int | None = None
    least: int | None = None

    def built(self, width: int) -> stat.Panel:
        """The panel; a dashboard is 24 wide."""
        panel = stat.Panel().title(self.title).datasource(_SOURCE).unit(self.unit).height(_LOW).span(width)
        steps = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(self._steps())
        return panel.thresholds(steps).with_target(self.query.built(0).instant())

    def _steps(self) -> list[Threshold]:
        """The first has no beginning."""
        if self.least is not None:
            return [Threshold(None, _BAD), Threshold(self.least, _GOOD)]
        return [Threshold(None, _GOOD), *([Threshold(self.most + 1, _BAD)] if self.most is not None else [])]


@dataclass(frozen=True)
class Graph:
    """Curves over time."""

    title: str
    queries: tuple[Query, ...]
    unit: str = COUNT

    def built(self, width: int) -> timeseries.Panel:
        """The panel; a dashboard is 24 wide."""
        legend = (
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
        panel = timeseries.Panel().title(self.title).datasource(_SOURCE).unit(self.unit).min(0).legend(legend)
        for number, query in enumerate(self.queries):
            panel.with_target(query.built(number))
        return panel.height(_HEIGHT).span(width)
