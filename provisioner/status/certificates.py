"""The certificates of a server as one check: values in, results out, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from provisioner.jetstream.certificates import Certificate
from provisioner.status.server_checks import Result, Severity, worst
from provisioner.text import counted

WARNED_BEFORE: Final = timedelta(days=30)
_RENEW: Final = "renew it; of an authority of the stack's own, up does"


def certificate_results(certificates: Sequence[Certificate], now: datetime) -> Iterator[Result]:
    """One result for all certificates; none where no server speaks TLS.

    Args:
        certificates: those that were shown.
        now: the time.
    """
    judged = [_judged(certificate, now) for certificate in certificates]
    if not judged:
        return
    severity = worst(severity for severity, _ in judged)
    if severity is Severity.OK:
        yield Result("certificate", severity, min(zip(_ends(certificates), judged, strict=True))[1][1])
    else:
        bad = dict.fromkeys(
            f"{certificate.url}: {text}"
            for certificate, (each, text) in zip(certificates, judged, strict=True)
            if each is not Severity.OK
        )
        yield Result("certificate", severity, "; ".join(bad))


def plain_certificates(certificates: Sequence[Certificate]) -> list[dict[str, Any]]:
    """Their plain form."""
    return [
        {"url": each.url, "ends": each.ends and each.ends.isoformat(), "problem": each.problem or None}
        for each in certificates
    ]


def _ends(certificates: Sequence[Certificate]) -> Iterator[datetime]:
    return (certificate.ends for certificate in certificates if certificate.ends)


def _judged(certificate: Certificate, now: datetime) -> tuple[Severity, str]:
    if certificate.ends is None:
        return Severity.CRITICAL if certificate.has_expired else Severity.UNKNOWN, certificate.problem
    left = certificate.ends - now
    text = f"ends on {certificate.ends:%Y-%m-%d}, in {counted(max(left.days, 0), 'day')}"
    return (Severity.WARNING, f"{text}; {_RENEW}") if left < WARNED_BEFORE else (Severity.OK, text)
