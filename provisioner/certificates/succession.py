"""What the state has of an authority, and what follows on it: plain values in, plain values out.

An authority's successor is signed by it too, and the servers show that beside their certificate. So a client that
trusts the old one goes on trusting the servers, and servers that have changed already trust those that have not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from provisioner.certificates.authority import Pair, cross_signed, new_authority, sign
from provisioner.certificates.rehearsal import fingerprint

# Another value of these is another certificate.
INPUTS: Final = ("owner", "names", "authority", "certificate")
_BEFORE: Final = ("previous", "cross")


def first(wanted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """An authority and the servers' certificate.

    Args:
        wanted: owner, names, and the numbers of authority and certificate.
        now: the time.
    """
    return _with_certificate({**_inputs(wanted), **_authority(new_authority(wanted["owner"], now))}, now)


def renewed(olds: Mapping[str, Any], wanted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Another certificate, by the same authority.

    Args:
        olds: what the state has.
        wanted: as for ``first``.
        now: the time.
    """
    kept = ("authority_cert", "authority_key", "authority_ends", *(_BEFORE if olds.get("cross") else ()))
    return _with_certificate({**_inputs(wanted), **{key: olds[key] for key in kept}}, now)


def succeeded(olds: Mapping[str, Any], wanted: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Another authority, which those trust who trust the one before it; and another certificate.

    Args:
        olds: what the state has.
        wanted: as for ``first``.
        now: the time.
    """
    before, authority = _pair(olds), new_authority(wanted["owner"], now)
    follows = {"previous": before.cert, "cross": cross_signed(authority, before)} if before.ends > now else {}
    return _with_certificate({**_inputs(wanted), **_authority(authority), **follows}, now)


def _inputs(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {key: wanted[key] for key in INPUTS}


def _authority(pair: Pair) -> dict[str, Any]:
    return {"authority_cert": pair.cert, "authority_key": pair.key, "authority_ends": pair.ends.isoformat()}


def _pair(props: Mapping[str, Any]) -> Pair:
    return Pair(props["authority_cert"], props["authority_key"])


def _with_certificate(props: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    made = sign(_pair(props), props["owner"], props["names"], now)
    return {
        **props,
        "ca": props["authority_cert"] + props.get("previous", ""),
        "chain": made.cert + props.get("cross", ""),
        "key": made.key,
        "fingerprint": fingerprint(made.cert),
        "ends": made.ends.isoformat(),
    }
