"""Alerts as a rule file of Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import yaml

from provisioner.units import format_duration
from provisioner.watching.alerts import Alert, Group

_HEADER: Final = "# Made by streams alerts from the catalogue; what is edited here is lost with the next one.\n"
_WIDE: Final = 2**31 - 1


def rule_file(groups: Iterable[Group], held_ns: int) -> str:
    """The text of a rule file.

    Args:
        groups: of alerts.
        held_ns: nanoseconds for which something has to be wrong before its alert fires.
    """
    body = {
        "groups": [
            {"name": group.name, "rules": [_rule(each, group, held_ns) for each in group.alerts]} for group in groups
        ]
    }
    return _HEADER + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=_WIDE)


def _rule(alert: Alert, group: Group, held_ns: int) -> dict[str, Any]:
    purpose = {"purpose": _literal(group.purpose)} if group.purpose else {}
    return {
        "alert": alert.name,
        "expr": alert.query,
        **({"for": format_duration(held_ns)} if alert.is_held and held_ns else {}),
        "labels": {"severity": alert.severity, **{name: _literal(value) for name, value in alert.labels.items()}},
        "annotations": {"summary": alert.summary, **purpose},
    }


def _literal(text: str) -> str:
    """Text that Prometheus shows as it is: its templates begin with two braces."""
    return text.replace("{{", '{{ "{{" }}')
