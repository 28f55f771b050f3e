"""Each alert of a catalogue, by promtool: it fires on its case, with its words, and not on its neighbour."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from provisioner.catalogue.reader import parse
from provisioner.watching.alerts import Alert, groups
from provisioner.watching.rule_file import rule_file
from tests.support.prometheus import promtool

CATALOGUE = """\
ORDERS:
  subjects: [orders.*]
  max_bytes: 1GiB
  max_age: 1d
  num_replicas: 3
  metadata: {io.nats.monitor.msgs-warn: "10", io.nats.monitor.msgs-critical: "5"}
  watch: {expect_every: 5m}
  consumers:
    billing:
      watch:
        lag: {warning: 100, critical: 1000}
        unacknowledged: {warning: 20}
        redelivered: {critical: 3}
"""
PARSED = parse(CATALOGUE, "streams.yaml")
MINUTE_NS = 60 * 10**9
AT_S = 900  # when everything is looked at, in seconds since Prometheus' tests begin
DAY_S = 86_400

ORDERS = {"stream": "ORDERS"}
BILLING = {**ORDERS, "consumer": "billing"}
REPLICA = {**ORDERS, "replica": "n2"}
FULL = {**ORDERS, "limit": "max_bytes"}


WARNING, CRITICAL = "warning", "critical"
FIRING = 'ALERTS{alertname="StreamNearlyFull", severity="critical", alertstate="firing"}'
GRAVER = f" unless on (stream, consumer, limit) {FIRING}"
LEFT = "certificate of tls://n1 ends in"


@dataclass(frozen=True)
class Case:
    """An alert, and what comes of values of its metric: severity and text, or None where nobody is told.

    Attributes:
        labels: of the series, which the alert gets.
        beside: more metrics of the same labels, with their values.
    """

    alert: str
    metric: str
    labels: dict[str, str]
    outcomes: dict[str, tuple[str, str] | None]
    beside: dict[str, str] = field(default_factory=dict)


# Values as promtool has them, one a minute: 0x15 is 0 and 15 times 0 again.
CASES = (
    Case(
        "MetricsMissing",
        "server_up",
        {},
        {"": (CRITICAL, "nothing is known of any stream: streams metrics is silent"), "1x15": None, "0x15": None},
    ),
    Case(
        "MetricsStale",
        "collected_timestamp_seconds",
        {},
        {"100x15": (WARNING, "streams metrics has not run for 10 minutes"), "300x15": None},
    ),
    Case(
        "ServerDown", "server_up", {}, {"0x15": (CRITICAL, "JetStream does not answer"), "1x15": None, "1x13 0x2": None}
    ),
    Case("NodeDown", "node_up", {"node": "n1"}, {"0x15": (WARNING, "node n1 is down"), "1x15": None}),
    Case(
        "SlowConsumers",
        "slow_consumers_total",
        {"node": "n1"},
        {"0x9 1x5": (WARNING, "n1 has cut off clients that read too slowly"), "1x15": None},
    ),
    Case(
        "CertificateRefused",
        "certificate_valid",
        {"url": "tls://n1"},
        {"0x15": (CRITICAL, "the certificate of tls://n1 has ended, or is not to be trusted"), "1x15": None},
    ),
    Case(
        "CertificateEnds",
        "certificate_end_timestamp_seconds",
        {"url": "tls://n1"},
        {
            f"{AT_S + 30 * DAY_S}x15": None,
            f"{AT_S + 8 * DAY_S}x15": (WARNING, f"{LEFT} 8d 0h 0m 0s"),
            f"{AT_S + 7 * DAY_S + 1}x15": (WARNING, f"{LEFT} 7d 0h 0m 1s"),
            f"{AT_S + 7 * DAY_S}x15": (CRITICAL, f"{LEFT} 7d 0h 0m 0s"),
        },
    ),
    Case(
        "StreamMissing",
        "stream_present",
        ORDERS,
        {"0x15": (CRITICAL, "ORDERS is not on the server"), "1x15": None, "1x13 0x2": None},
    ),
    Case(
        "StreamDrifted",
        "stream_drifted",
        ORDERS,
        {"1x15": (WARNING, "ORDERS differs from the catalogue; streams drift says in what"), "0x15": None},
    ),
    Case(
        "StreamNearlyFull",
        "stream_used_ratio",
        FULL,
        {
            "0.79x15": None,
            "0.8x15": (WARNING, "ORDERS uses 80% of max_bytes"),
            "0.94x15": (WARNING, "ORDERS uses 94% of max_bytes"),
            "0.95x15": (CRITICAL, "ORDERS uses 95% of max_bytes"),
        },
    ),
    Case(
        "StreamNearlyEmpty",
        "stream_messages",
        ORDERS,
        {
            "11x15": None,
            "10x15": (WARNING, "ORDERS has only 10 messages"),
            "6x15": (WARNING, "ORDERS has only 6 messages"),
            "5x15": (CRITICAL, "ORDERS has only 5 messages"),
        },
    ),
    Case(
        "StreamQuiet",
        "stream_last_message_timestamp_seconds",
        ORDERS,
        {"599x15": (WARNING, "ORDERS has had no new message for 5m 1s; one is expected every 5m"), "600x15": None},
    ),
    Case(
        "StreamWithoutLeader", "stream_has_leader", ORDERS, {"0x15": (CRITICAL, "ORDERS has no leader"), "1x15": None}
    ),
    Case(
        "ReplicaDown",
        "stream_replica_up",
        REPLICA,
        {"0x15": (WARNING, "replica n2 of ORDERS is not heard of"), "1x15": None},
    ),
    Case(
        "ReplicaBehind",
        "stream_replica_lag",
        REPLICA,
        {"11x15": (WARNING, "replica n2 of ORDERS is 11 entries behind"), "10x15": None},
        beside={"stream_replica_current": "0x15", "stream_replica_up": "1x15"},
    ),
    Case(
        "ReplicaBehind",
        "stream_replica_lag",
        REPLICA,
        {"11x15": None},
        beside={"stream_replica_current": "1x15", "stream_replica_up": "1x15"},
    ),
    Case(  # one that is not heard of is told of as that, once
        "ReplicaBehind",
        "stream_replica_lag",
        REPLICA,
        {"11x15": None},
        beside={"stream_replica_current": "0x15", "stream_replica_up": "0x15"},
    ),
    Case(
        "ConsumerMissing",
        "consumer_present",
        BILLING,
        {"0x15": (CRITICAL, "ORDERS/billing is not on the server"), "1x15": None},
    ),
    Case(
        "ConsumerDrifted",
        "consumer_drifted",
        BILLING,
        {"1x15": (WARNING, "ORDERS/billing differs from the catalogue; streams drift says in what"), "0x15": None},
    ),
    Case(
        "ConsumerBehind",
        "consumer_lag",
        BILLING,
        {
            "99x15": None,
            "100x15": (WARNING, "ORDERS/billing has 100 messages yet to be delivered"),
            "999x15": (WARNING, "ORDERS/billing has 999 messages yet to be delivered"),
            "1000x15": (CRITICAL, "ORDERS/billing has 1000 messages yet to be delivered"),
            # The warning holds until the critical one takes its place.
            "999x14 1000": (WARNING, "ORDERS/billing has 1000 messages yet to be delivered"),
            "999x13 1000x1": (WARNING, "ORDERS/billing has 1000 messages yet to be delivered"),
            "999x12 1000x2": (CRITICAL, "ORDERS/billing has 1000 messages yet to be delivered"),
            "50x14 1000": None,
        },
    ),
    Case(
        "ConsumerStopped",
        "consumer_lag",
        BILLING,
        {
            "5x9 3x6": (WARNING, "ORDERS/billing gets nothing, and 3 messages or more wait"),
            "5x9 0 5x5": None,
            "_x6 5x8": None,  # for so short a time nobody can tell
        },
        beside={"consumer_deliveries_total": "7x15"},
    ),
    Case("ConsumerStopped", "consumer_lag", BILLING, {"5x15": None}, beside={"consumer_deliveries_total": "7x9 8x6"}),
    Case(
        "ConsumerUnacknowledged",
        "consumer_unacknowledged",
        BILLING,
        {"20x15": (WARNING, "ORDERS/billing has 20 messages not acknowledged"), "19x15": None},
    ),
    Case(
        "ConsumerRedelivering",
        "consumer_redelivered",
        BILLING,
        {"3x15": (CRITICAL, "ORDERS/billing has 3 messages delivered more than once"), "2x15": None},
    ),
)


def test_each_alert_has_a_case() -> None:
    """One more of either is noticed."""
    alerts = {(alert.name, alert.severity) for group in groups(PARSED) for alert in group.alerts}
    assert alerts == {(case.alert, told[0]) for case in CASES for told in case.outcomes.values() if told}


def test_each_alert_fires_on_its_case_and_not_on_its_neighbour(tmp_path: Path) -> None:
    """And is held for two minutes where a passing trouble is nobody's business."""
    (tmp_path / "rules.yml").write_text(rule_file(groups(PARSED), 2 * MINUTE_NS))
    tests = [_test(case, values, told) for case in CASES for values, told in case.outcomes.items()]
    body = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(body))

    result = promtool("test", "rules", str(tmp_path / "tests.yml"))

    assert (0, "") == (result.returncode, result.stderr), result.stdout + result.stderr


def _test(case: Case, values: str, told: tuple[str, str] | None) -> dict[str, Any]:
    labels = ",".join(f'{name}="{value}"' for name, value in case.labels.items())
    metrics = {**case.beside, **({case.metric: values} if values else {})}
    series = [{"series": f"streams_{metric}{{{labels}}}", "values": each} for metric, each in metrics.items()]
    alerts = [_alert({**case.labels, "severity": told[0]}, told[1])] if told else []
    rule = {"eval_time": f"{AT_S}s", "alertname": case.alert, "exp_alerts": alerts}
    name = f"{case.alert}: {values}"
    return {"name": name, "interval": "1m", "input_series": series, "alert_rule_test": [rule]}


def _alert(labels: dict[str, str], summary: str, **more: str) -> dict[str, Any]:
    return {"exp_labels": labels, "exp_annotations": {"summary": summary, **more}}


def test_names_that_templates_would_read(tmp_path: Path) -> None:
    """A stream's name and purpose with braces and quotes stay what they are."""
    catalogue = parse("'A😀{{\"$x':\n  subjects: [a]\n  purpose: Takes {{all}} 😀\n", "streams.yaml")
    (tmp_path / "rules.yml").write_text(rule_file(groups(catalogue), 0))
    alert = _alert(
        {"stream": 'A😀{{"$x', "severity": CRITICAL}, 'A😀{{"$x is not on the server', purpose="Takes {{all}} 😀"
    )
    test = {
        "interval": "1m",
        "input_series": [{"series": 'streams_stream_present{stream="A😀{{\\"$x"}', "values": "0x15"}],
        "alert_rule_test": [{"eval_time": "5m", "alertname": "StreamMissing", "exp_alerts": [alert]}],
    }
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]}))

    result = promtool("test", "rules", str(tmp_path / "tests.yml"))

    assert (0, "") == (result.returncode, result.stderr), result.stdout + result.stderr


def test_a_paused_consumer_is_not_one_that_stopped() -> None:
    """Nobody is told of what the catalogue wants."""
    consumers = "{running: , paused: {pause_until: 2999-01-01T00:00:00Z}}"
    group = groups(parse(f"ORDERS: {{subjects: [a], consumers: {consumers}}}\n", "streams.yaml"))[1]
    assert ["running"] == [each.labels["consumer"] for each in group.alerts if each.name == "ConsumerStopped"]


def test_a_ring_is_not_nearly_full() -> None:
    """A stream that only keeps the newest is meant to be full, unless the catalogue says otherwise."""
    text = "RING: {subjects: [a], max_bytes: 1MiB}\nKEPT: {subjects: [b], max_bytes: 1MiB, max_age: 1d}\n"
    asked = "ASKED: {subjects: [c], max_bytes: 1MiB, watch: {used: {warning: 50%}}}\n"
    full = {group.name: _of(group.alerts, "StreamNearlyFull") for group in groups(parse(text + asked, "streams.yaml"))}

    assert {
        "servers": [],
        "RING": [],
        "KEPT": [
            'streams_stream_used_ratio{stream="KEPT"} >= 0.95',
            f'streams_stream_used_ratio{{stream="KEPT"}} >= 0.8{GRAVER}',
        ],
        "ASKED": [
            'streams_stream_used_ratio{stream="ASKED"} >= 0.95',
            f'streams_stream_used_ratio{{stream="ASKED"}} >= 0.5{GRAVER}',
        ],
    } == full


def _of(alerts: tuple[Alert, ...], name: str) -> list[str]:
    return [alert.query for alert in alerts if alert.name == name]
