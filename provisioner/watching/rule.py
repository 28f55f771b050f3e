"""An alert rule of Prometheus: a value, and its form in a file of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

WARNING: Final = "warning"
CRITICAL: Final = "critical"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One alert.

    Attributes:
        alert: its name.
        when: the PromQL that has a result while it is so.
        severity: warning or critical.
        summary: one line; ``{{ $value }}`` and labels as Prometheus's templates have them.
        action: what to do then.
        lasting: for how long it has to be so, in Prometheus's units; empty for at once.
        labels: more than the series have.
    """

    alert: str
    when: str
    severity: str
    summary: str
    action: str
    lasting: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """As a file of rules has it."""
        return {
            "alert": self.alert,
            "expr": self.when,
            **({"for": self.lasting} if self.lasting else {}),
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {"summary": self.summary, "action": self.action},
        }


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Rule, ...]

    def plain(self) -> dict[str, Any]:
        """As a file of rules has it."""
        return {"name": self.name, "rules": [rule.plain() for rule in self.rules]}
