"""What a status asks, and how it shows what it found."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from provisioner.catalogue import reader as catalogue
from provisioner.cli.main import main
from provisioner.errors import ProvisionerError
from provisioner.jetstream.monitoring import Answer
from provisioner.jetstream.target import DEFAULT_MONITOR_URL, DEFAULT_URL, target
from provisioner.rules.stream_names import Unmanaged
from provisioner.schema.model import StreamInfo
from provisioner.status.listing import Listing
from provisioner.status.render import age, show
from provisioner.status.report import Report, plain
from provisioner.status.server_checks import Result, Severity
from provisioner.status.stream_checks import examine

SPECS = catalogue.parse(
    """
    ORDERS: {purpose: "All [bold]orders", subjects: [orders.*], max_age: 7d, max_bytes: 1GiB}
    AUDIT: {subjects: [audit]}
    """,
    "streams.yaml",
).streams
NOW = datetime(2026, 1, 8, tzinfo=UTC)
CREATED = "2026-01-01T00:00:00Z"
ORDERS = StreamInfo(
    {**SPECS[0].config, "max_age": 86_400_000_000_000, "description": "a\x1b[31mb"},
    CREATED,
    messages=1500,
    bytes=1024**2,
    first_time="2026-01-05T00:00:00.123456789Z",
    last_time="2026-01-07T23:59:30Z",
    consumers=2,
)
REPORT = Report(
    url="nats://host:4222",
    answers={
        "/varz": Answer({"version": "2.15.1"}),
        "/jsz": Answer({"config": None}),
        "/subsz": Answer(problem="x"),
    },
    server=(Result("/healthz", Severity.OK, "ok"),),
    streams=examine(SPECS, Listing(account={}, streams={"ORDERS": ORDERS}), {}),
    unmanaged=(Unmanaged("cfg", "key-value bucket"), Unmanaged("hidden", "stream")),
    listed=(Unmanaged("cfg", "key-value bucket"),),
)


def printed(report: Report, width: int, *, terminal: bool = False) -> str:
    """The report on a screen of this width."""
    output = io.StringIO()
    show(report, Console(file=output, width=width, force_terminal=terminal, no_color=not terminal), NOW)
    return output.getvalue()


@pytest.mark.parametrize(
    ("url", "monitor_url", "environment", "expected"),
    [
        (None, None, {}, (DEFAULT_URL, DEFAULT_MONITOR_URL)),
        ("nats://other:4222", None, {}, ("nats://other:4222", "")),
        (None, None, {"NATS_URL": "tls://other"}, ("tls://other", "")),
        (
            None,
            None,
            {"NATS_URL": "tls://other", "NATS_MONITOR_URL": "https://m"},
            ("tls://other", "https://m"),
        ),
        ("nats://a", "http://b", {"NATS_URL": "x", "NATS_MONITOR_URL": "y"}, ("nats://a", "http://b")),
        (None, "", {"NATS_MONITOR_URL": "http://m"}, (DEFAULT_URL, "")),
        (None, None, {"NATS_URL": "", "NATS_MONITOR_URL": ""}, (DEFAULT_URL, "")),
    ],
)
def test_target(
    url: str | None, monitor_url: str | None, environment: Mapping[str, str], expected: tuple[str, str]
) -> None:
    """An option outranks the environment, and this machine's monitoring is asked for its own server only."""
    found = target(url, monitor_url, environment)
    assert expected == (found.url, found.monitor_url)


def test_credentials_from_the_environment() -> None:
    """Every way to log in comes from the environment, and shows in no representation."""
    logins = {"NATS_USER": "ann", "NATS_PASSWORD": "secret1", "NATS_TOKEN": "secret2", "NATS_CREDS": "secret3"}
    names = logins | {"NATS_NKEY": "secret4", "NATS_INBOX_PREFIX": "_INBOX_ann"}
    names |= {"NATS_CA": "ca.pem", "NATS_CERT": "cert.pem", "NATS_KEY": "key.pem"}
    found = target(None, None, names)
    assert [*names.values(), None] == list(vars(found.credentials).values())
    assert "secret" not in repr(found)


def test_a_ca_as_a_text() -> None:
    """`make status` has it from the stack's outputs, and no file; TLS is then spoken where the server asks for it."""
    text = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    found = target(None, None, {"NATS_CA": text}).credentials
    assert (None, text) == (found.ca, found.trusted)


@pytest.mark.parametrize("url", ["nats://ann:secret@host", "secret@host", "nats://h,nats://ann:secret@h"])
def test_credentials_in_a_url(url: str) -> None:
    """A URL with credentials is refused without repeating them."""
    with pytest.raises(ProvisionerError, match="NATS_PASSWORD") as refusal:
        target(url, None, {})
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "monitor_url"),
    [
        ("host:4222", None),
        ("http://host:4222", None),
        ("nats://", None),
        ("nats://host:99999", None),
        ("nats://[::1", None),
        (None, "file:///etc/passwd"),
        (None, "127.0.0.1:8222"),
    ],
)
def test_unusable_url(url: str | None, monitor_url: str | None) -> None:
    """A URL of another kind is refused before anything is asked."""
    with pytest.raises(ProvisionerError, match=r"is not the URL of .*; write it like"):
        target(url, monitor_url, {})


def test_mistakes_in_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A catalogue that cannot be read leaves everything unknown, a line for each mistake."""
    file = tmp_path / "streams.yaml"
    file.write_text("A: {max_age: 5}\nB: {storage: disk}\n")
    assert 3 == main(["status", "--catalogue", str(file)])
    lines = capsys.readouterr().out.splitlines()
    assert [f"UNKNOWN   input  {file}:1:", f"UNKNOWN   input  {file}:2:", "UNKNOWN"] == [
        line.split(" A.")[0].split(" B.")[0] for line in lines
    ]


def test_mistakes_in_the_catalogue_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Machines read mistakes in the form they read everything else."""
    assert 3 == main(["status", "--catalogue", "nowhere.yaml", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert ("UNKNOWN", 3, "input") == (told["severity"], told["exit_code"], told["checks"][0]["name"])


def test_plain_form() -> None:
    """The documented keys, all there whatever was found; a half answer is no crash."""
    told = plain(REPORT)
    assert ["severity", "exit_code", "server", "checks", "streams", "unmanaged"] == list(told)
    assert ("CRITICAL", 2) == (told["severity"], told["exit_code"])
    assert ("2.15.1", None, None, None) == tuple(
        told["server"][key] for key in ("version", "max_storage", "subscriptions", "monitor_url")
    )
    assert list(told["streams"][0]) == list(told["streams"][1])
    assert [{"name": "cfg", "kind": "key-value bucket"}, {"name": "hidden", "kind": "stream"}] == told["unmanaged"]
    json.dumps(told)


def test_plain_stream() -> None:
    """Settings in a catalogue's words, figures as numbers, times as the server has them."""
    stream = plain(REPORT)["streams"][0]
    assert ("drift", "7d", "1d") == (stream["state"], stream["wanted"]["max_age"], stream["live"]["max_age"])
    assert {"field": "max_age", "wanted": "7d", "live": "1d"} in stream["differences"]
    assert (1500, 1024**2, 1024**3, -1, 2) == tuple(
        stream[key] for key in ("messages", "bytes", "max_bytes", "max_msgs", "consumers")
    )
    assert "2026-01-05T00:00:00.123456789Z" == stream["first_time"]


def test_plain_times_of_an_empty_stream() -> None:
    """The server's year 1 means that there was no message."""
    empty = StreamInfo(SPECS[1].config, CREATED, first_time="0001-01-01T00:00:00Z", last_time="0001-01-01T00:00:00Z")
    stream = plain(Report(streams=examine(SPECS[1:], Listing(account={}, streams={"AUDIT": empty}), {})))["streams"][0]
    assert (None, None) == (stream["first_time"], stream["last_time"])


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_every_figure_is_shown(width: int) -> None:
    """Nothing is left out or cut off at any width."""
    joined = "".join(printed(REPORT, width).split())
    for text in (
        "ORDERS",
        "All[bold]orders",
        "orders.*",
        "1,500",
        "2d",
        "30s",
        "1.0MiB",
        "<1%of1.0GiB",
        "missing",
    ):
        assert text in joined, text
    assert "Notinthecatalogue:key-valuebucketcfg" in joined
    assert "CRITICAL:2streams:1drift,1missing" in joined


def test_ignored_streams_are_hidden() -> None:
    """Streams that the catalogue ignores are in the plain form only."""
    assert "hidden" not in printed(REPORT, 120)


def test_many_unmanaged_streams_are_counted() -> None:
    """Five hundred streams are a count of each kind, the first names, and what hides them."""
    many = tuple(Unmanaged(f"S{number:03}", "stream") for number in range(500))
    lines = printed(Report(listed=(Unmanaged("cfg", "key-value bucket"), *many), server=REPORT.server), 80).splitlines()
    first = "key-value bucket cfg, stream S000, stream S001, stream S002, stream S003, …"
    hint = "patterns under ignore: in the catalogue hide them"
    assert f"Not in the catalogue: 1 key-value bucket, 500 streams: {first}; {hint}" == lines[1]
    assert 3 == len(lines)


def test_table() -> None:
    """With room for it, each field has its wanted and live value on one line."""
    lines = printed(REPORT, 120).splitlines()
    assert any("max_age 7d (live: 1d)" in line and "drift" in line and "ORDERS" in line for line in lines)
    assert max(map(len, lines)) <= 120
    assert not lines[lines.index("OK        /healthz  ok") - 1].strip()


def test_control_characters() -> None:
    """What a server holds cannot steer the terminal, and a pipe gets no colours."""
    assert "\x1b" not in printed(REPORT, 120)
    assert "\x1b[1;31mCRITICAL" in printed(REPORT, 120, terminal=True)


def test_unseen_streams_are_only_counted() -> None:
    """A server that cannot be asked gets no table of question marks."""
    report = Report(
        server=(Result("$JS.API.INFO", Severity.UNKNOWN, "nobody answers"),),
        streams=examine(SPECS, Listing(account={}), {}),
    )
    assert "UNKNOWN   $JS.API.INFO  nobody answers\nUNKNOWN: 2 streams: 2 unknown\n" == printed(report, 80)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-08T00:00:05Z", "0s"),
        ("2026-01-07T23:59:01Z", "59s"),
        ("2026-01-07T23:00:01Z", "59m"),
        ("2026-01-07T00:00:01Z", "23h"),
        ("2025-01-08T00:00:00.999999999Z", "364d"),
    ],
)
def test_age(time: str, expected: str) -> None:
    """Whole units of the largest kind, rounded down; a clock that is behind makes none negative."""
    assert expected == age(time, NOW)
