"""Alert rules in Prometheus's own hands: each fires on its case and not on its neighbour."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.catalogue.reader import parse
from provisioner.watching.alerts import groups_of, rules_text
from provisioner.watching.names import quoted
from tests.support.alert_cases import CASES, Case

TEXT = """\
ORDERS:
  subjects: [orders]
  max_age: 7d
  max_bytes: 1GiB
  max_msgs: 1000
  watch: {expect_every: 5m}
  metadata: {io.nats.monitor.msgs-warn: "5"}
  consumers:
    billing:
      watch: {lag: {warning: 10, critical: 100}, unacknowledged: {warning: 7}, redelivered: {critical: 3}}
RETURNS:
  subjects: [returns]
  max_age: 7d
  max_bytes: 1GiB
  max_msgs: 1000
  watch: {expect_every: 5m}
  consumers:
    billing: {watch: {lag: {warning: 10}}}
"""
CATALOGUE = parse(TEXT, "streams.yaml")
RULES = [rule for group in groups_of(CATALOGUE) for rule in group.rules]
DEADLINE_S = 30
# Every figure of the two streams and their server, every minute for an hour, as it is when all is well.
SERVER = {"asked_timestamp_seconds": "0+60x60", "server_answered": "1x60"}
STREAM = {
    "stream_missing": "0x60",
    "stream_drifted": "0x60",
    "stream_bytes": "500x60",
    "stream_max_bytes": "1000x60",
    "stream_messages": "500x60",
    "stream_max_msgs": "1000x60",
    "stream_last_message_timestamp_seconds": "0+60x60",
    "stream_has_leader": "1x60",
}
CONSUMER = {
    "consumer_missing": "0x60",
    "consumer_drifted": "0x60",
    "consumer_pending": "2x60",
    "consumer_unacknowledged": "0x60",
    "consumer_redelivered": "0x60",
    "consumer_delivered_sequence": "0+10x60",
}


def test_every_alert_has_a_case() -> None:
    """Each that a catalogue can have comes in one of the cases below."""
    assert {rule.alert for rule in RULES} == {each.partition(" ")[0] for case in CASES for each in case.alerts}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name} {case.values} {case.minutes}m")
def test_an_alert_comes_with_its_case(tmp_path: Path, case: Case) -> None:
    """And nothing else: not the same alert of the other stream, not another alert of this one."""
    (tmp_path / "rules.yml").write_text(rules_text(CATALOGUE, "streams.yaml"))
    (tmp_path / "test.yml").write_text(yaml.safe_dump(_test(case)))
    promtool = shutil.which("promtool")
    assert promtool, "no promtool: apt-get install prometheus"
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "test.yml")],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert (0, "") == (done.returncode, done.stderr), done.stdout + done.stderr


def _test(case: Case) -> dict[str, Any]:
    series = {_series(name, {}): values for name, values in SERVER.items()}
    for stream in ("ORDERS", "RETURNS"):
        series |= {_series(name, {"stream": stream}): values for name, values in STREAM.items()}
        labels = {"stream": stream, "consumer": "billing"}
        series |= {_series(name, labels): values for name, values in CONSUMER.items()}
    series[_series(case.name, case.labels)] = case.values
    return {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [_expected(alert, case) for alert in dict.fromkeys(rule.alert for rule in RULES)],
            }
        ],
    }


def _expected(alert: str, case: Case) -> dict[str, Any]:
    """Of one name: all that are to come, with every label and annotation."""
    coming = {key: told for key, told in case.alerts.items() if key.partition(" ")[0] == alert}
    rules = [rule for rule in RULES if rule.alert == alert]
    return {
        "eval_time": f"{case.minutes}m",
        "alertname": alert,
        "exp_alerts": [
            {
                "exp_labels": {**case.labels, **_without(told, "summary"), "severity": key.partition(" ")[2]},
                "exp_annotations": {
                    "summary": told["summary"],
                    "action": next(r.action for r in rules if r.labels.get("limit") == told.get("limit")),
                },
            }
            for key, told in coming.items()
        ],
    }


def _series(name: str, labels: dict[str, str]) -> str:
    return f"streams_{name}{{{', '.join(f'{label}={quoted(value)}' for label, value in labels.items())}}}"


def _without(told: dict[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in told.items() if name != key}
