"""How certificates are judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioner.jetstream.certificates import Certificate
from provisioner.status.certificates import certificate_results, plain_certificates
from provisioner.status.server_checks import Result, Severity

NOW = datetime(2026, 11, 27, tzinfo=UTC)
YEAR = Certificate("tls://a", NOW + timedelta(days=365))
SOON = Certificate("https://a", NOW + timedelta(days=29, hours=23))
PAST = Certificate("tls://b", problem="the server's certificate has expired", has_expired=True)
OTHER = Certificate("tls://c", problem="the CA is not trusted")


@pytest.mark.parametrize(
    ("shown", "severity", "text"),
    [
        ([YEAR], Severity.OK, "ends on 2027-11-27, in 365 days"),
        (
            [YEAR, SOON],
            Severity.WARNING,
            "https://a: ends on 2026-12-26, in 29 days; renew it; of an authority of the stack's own, up does",
        ),
        ([OTHER, PAST], Severity.CRITICAL, f"tls://c: {OTHER.problem}; tls://b: {PAST.problem}"),
        ([YEAR, OTHER], Severity.UNKNOWN, "tls://c: the CA is not trusted"),
    ],
)
def test_the_gravest(shown: list[Certificate], severity: Severity, text: str) -> None:
    """One line, about what is wrong where something is."""
    assert [Result("certificate", severity, text)] == list(certificate_results(shown, NOW))


def test_without_tls() -> None:
    """Nothing is said."""
    assert [] == list(certificate_results([], NOW))


def test_the_plain_form() -> None:
    """For machines."""
    assert plain_certificates([YEAR, OTHER]) == [
        {"url": "tls://a", "ends": "2027-11-27T00:00:00+00:00", "problem": None},
        {"url": "tls://c", "ends": None, "problem": "the CA is not trusted"},
    ]
