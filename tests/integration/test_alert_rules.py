"""Alert rules in Prometheus's own hands: each fires on its case and not on its neighbour."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.catalogue.reader import parse
from provisioner.watching.alerts import groups_of, rules_text
from provisioner.watching.names import quoted

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
DAY_S = 86_400
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
ORDERS = {"stream": "ORDERS"}
BILLING = {"stream": "ORDERS", "consumer": "billing"}
ON_TWO = {"stream": "ORDERS", "node": "two"}
NODE = {"node": "one"}
URL = {"url": "tls://nats:4222"}


@dataclass(frozen=True)
class Case:
    """A series that is other than it should be, when that is judged, and the alerts that are to come; none: not yet."""

    name: str
    labels: dict[str, str]
    values: str
    minutes: int
    alerts: dict[str, dict[str, str]] = field(default_factory=dict)


def _one(alert: str, severity: str, summary: str, **labels: str) -> dict[str, dict[str, str]]:
    return {f"{alert} {severity}": {"summary": summary, **labels}}


def _full(limit: str, percent: int, *severities: str) -> dict[str, dict[str, str]]:
    text = f"ORDERS is at {percent} % of {limit}: then the oldest are dropped before max_age"
    return {f"StreamNearlyFull {each}": {"summary": text, "limit": limit} for each in severities}


def _behind(number: int, *severities: str) -> dict[str, dict[str, str]]:
    return {
        f"ConsumerBehind {each}": {"summary": f"ORDERS/billing: {number} messages are yet to be delivered"}
        for each in severities
    }


CASES = (
    Case("stream_missing", ORDERS, "1x60", 2, _one("StreamMissing", "critical", "ORDERS is not on the server")),
    Case("stream_missing", ORDERS, "1 0x60", 2),
    Case("stream_drifted", ORDERS, "1x60", 6, _one("StreamDrifted", "warning", "ORDERS is not as the catalogue says")),
    Case("stream_drifted", ORDERS, "1x60", 4),
    Case("stream_bytes", ORDERS, "790x60", 9),
    Case("stream_bytes", ORDERS, "800x60", 9, _full("max_bytes", 80, "warning")),
    Case("stream_bytes", ORDERS, "949x60", 9, _full("max_bytes", 95, "warning")),
    Case("stream_bytes", ORDERS, "950x60", 9, _full("max_bytes", 95, "warning", "critical")),
    Case("stream_bytes", ORDERS, "990x3 500x60", 9),
    Case("stream_messages", ORDERS, "960x60", 9, _full("max_msgs", 96, "warning", "critical")),
    Case("stream_messages", ORDERS, "5x60", 9, _one("StreamNearlyEmpty", "warning", "ORDERS has only 5 messages")),
    Case("stream_last_message_timestamp_seconds", ORDERS, "0x60", 5),
    Case(
        "stream_last_message_timestamp_seconds",
        ORDERS,
        "0x60",
        6,
        _one("StreamQuiet", "warning", "ORDERS has had no new message for 6m 0s"),
    ),
    Case(
        "stream_has_leader",
        ORDERS,
        "0x60",
        2,
        _one("StreamWithoutLeader", "critical", "ORDERS has no leader: it takes and gives no message"),
    ),
    Case("stream_replica_current", ON_TWO, "1x60", 9),
    Case(
        "stream_replica_current",
        ON_TWO,
        "0x60",
        9,
        _one("StreamReplicaBehind", "warning", "ORDERS: the replica on two has not all there is", node="two"),
    ),
    Case(
        "consumer_missing",
        BILLING,
        "1x60",
        2,
        _one("ConsumerMissing", "critical", "ORDERS/billing is not on the server"),
    ),
    Case(
        "consumer_drifted",
        BILLING,
        "1x60",
        6,
        _one("ConsumerDrifted", "warning", "ORDERS/billing is not as the catalogue says"),
    ),
    Case("consumer_pending", BILLING, "9x60", 2),
    Case("consumer_pending", BILLING, "10x60", 2, _behind(10, "warning")),
    Case("consumer_pending", BILLING, "100x60", 2, _behind(100, "warning", "critical")),
    Case(
        "consumer_unacknowledged",
        BILLING,
        "7x60",
        2,
        _one("ConsumerUnacknowledged", "warning", "ORDERS/billing: 7 messages are delivered and not acknowledged"),
    ),
    Case(
        "consumer_redelivered",
        BILLING,
        "3x60",
        2,
        _one(
            "ConsumerRedelivering",
            "critical",
            "ORDERS/billing: 3 messages are delivered more than once and not acknowledged",
        ),
    ),
    Case("consumer_delivered_sequence", BILLING, "7x60", 9),
    Case(
        "consumer_delivered_sequence",
        BILLING,
        "7x60",
        25,
        _one("ConsumerStopped", "warning", "ORDERS/billing delivers nothing, and 2 messages or more wait"),
    ),
    Case("consumer_pending", BILLING, "0x60", 25),
    Case("server_answered", {}, "0x60", 2, _one("ServerSilent", "critical", "JetStream does not answer")),
    Case(
        "asked_timestamp_seconds",
        {},
        "0x60",
        8,
        _one(
            "StreamsUnwatched",
            "critical",
            "nobody has asked the server for its streams for minutes: no other alert would come",
        ),
    ),
    Case(
        "asked_timestamp_seconds",
        {},
        "_x60",
        3,
        _one(
            "StreamsUnwatched",
            "critical",
            "nobody has asked the server for its streams for minutes: no other alert would come",
        ),
    ),
    Case("node_up", NODE, "1x60", 9),
    Case("node_up", NODE, "0x60", 2, _one("NodeDown", "warning", "the server one is down", node="one")),
    Case("node_slow_consumers_total", NODE, "4x60", 9),
    Case(
        "node_slow_consumers_total",
        NODE,
        "4x5 5x60",
        9,
        _one("SlowConsumers", "warning", "one has closed connections that did not keep up", node="one"),
    ),
    Case("certificate_end_timestamp_seconds", URL, f"{31 * DAY_S}x60", 9),
    Case(
        "certificate_end_timestamp_seconds",
        URL,
        f"{8 * DAY_S}x60",
        0,
        _one("CertificateEnds", "warning", "the certificate of tls://nats:4222 ends in 8d 0h 0m 0s", **URL),
    ),
    Case(
        "certificate_end_timestamp_seconds",
        URL,
        f"{6 * DAY_S}x60",
        0,
        {
            f"CertificateEnds {each}": {"summary": "the certificate of tls://nats:4222 ends in 6d 0h 0m 0s", **URL}
            for each in ("warning", "critical")
        },
    ),
    Case(
        "certificate_accepted",
        URL,
        "0x60",
        2,
        _one("CertificateRefused", "critical", "the certificate of tls://nats:4222 is not accepted", **URL),
    ),
)


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
