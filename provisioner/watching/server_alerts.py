"""The alert rules of the server, the same for every catalogue."""

from __future__ import annotations

from typing import Final

from provisioner.status.certificates import WARNED_BEFORE
from provisioner.watching.names import (
    ANSWERED,
    ASKED,
    CERTIFICATE_ACCEPTED,
    CERTIFICATE_END,
    NODE_SLOW_CONSUMERS,
    NODE_UP,
)
from provisioner.watching.rule import CRITICAL, WARNING, Group, Rule

_DAY_S: Final = 86_400
_CRITICAL_DAYS: Final = 7
_OUTDATED_S: Final = 300

SERVER: Final = Group(
    "server",
    (
        Rule(
            alert="StreamsUnwatched",
            when=f"absent({ASKED.name}) or time() - {ASKED.name} > {_OUTDATED_S}",
            lasting="2m",
            severity=CRITICAL,
            summary="nobody has asked the server for its streams for minutes: no other alert would come",
            action="see whether streams metrics runs, and Prometheus reaches it",
        ),
        Rule(
            alert="ServerSilent",
            when=f"{ANSWERED.name} == 0",
            lasting="1m",
            severity=CRITICAL,
            summary="JetStream does not answer",
            action="streams status says why; see whether the server runs",
        ),
        Rule(
            alert="NodeDown",
            when=f"{NODE_UP.name} == 0",
            lasting="1m",
            severity=WARNING,
            summary="the server {{ $labels.node }} is down",
            action="start it; a cluster goes on while a majority is up",
        ),
        Rule(
            alert="SlowConsumers",
            when=f"increase({NODE_SLOW_CONSUMERS.name}[10m]) > 0",
            severity=WARNING,
            summary="{{ $labels.node }} has closed connections that did not keep up",
            action="the server's log names the client; let it fetch in smaller batches",
        ),
        Rule(
            alert="CertificateRefused",
            when=f"{CERTIFICATE_ACCEPTED.name} == 0",
            lasting="1m",
            severity=CRITICAL,
            summary="the certificate of {{ $labels.url }} is not accepted",
            action="streams status says why; one that has expired is renewed",
        ),
        *(
            Rule(
                alert="CertificateEnds",
                when=f"{CERTIFICATE_END.name} - time() < {days * _DAY_S}",
                severity=severity,
                summary="the certificate of {{ $labels.url }} ends in {{ $value | humanizeDuration }}",
                action="renew it; of an authority of the stack's own, pulumi up does",
            )
            for severity, days in ((WARNING, WARNED_BEFORE.days), (CRITICAL, _CRITICAL_DAYS))
        ),
    ),
)
