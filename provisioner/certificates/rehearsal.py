"""What a server's certificate in files is good for: a handshake in memory, before any server has it.

The two sides are those of a client and a server; no socket is opened, and every refusal is the one that a client
would meet. What a certificate may be is OpenSSL's to say, so nothing here reads one.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

# A handshake in TLS 1.3 is over after two turns of each side.
_TURNS: Final = 10

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")

# OpenSSL's X509_V_ERR_…
_VERIFY_PROBLEMS: Final = {
    9: "is not valid yet; check this machine's clock",
    10: "has expired; renew it",
    18: "is signed by itself and not in ca; give ca the certificate's own CA",
    19: "is not signed by what ca has; give ca the certificate's own CA",
    20: "is not signed by what ca has; give ca the certificate's own CA",
    26: "is not for {use}; its extended key usage has to allow it",
    62: "is not for {host}, where clients of this stack connect; use one that names it",
    64: "is not for {host}, where clients of this stack connect; use one that names it",
}
_SERVER_USE: Final = "servers"
_ROUTE_USE: Final = "clients, which each node of a cluster is to the others"


@dataclass(frozen=True)
class Files:
    """The paths of what a server shows and trusts; the key has no passphrase."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True)
class Shown:
    """A certificate that has passed: its SHA-256, and when it ends."""

    fingerprint: str
    ends: datetime


class CertificateProblem(ValueError):
    """What is wrong with a file; the text begins with the setting that names it."""


def rehearse(files: Files, host: str, route_hosts: Sequence[str] = ()) -> Shown:
    """Let a client that trusts the CA meet a server with that certificate.

    Args:
        files: the server's.
        host: the address at which clients meet it.
        route_hosts: where the nodes of a cluster meet each other, each with this certificate.

    Raises:
        CertificateProblem: a file cannot be used, or the client or the server would refuse.
    """
    for name, path in (("ca", files.ca), ("cert", files.cert), ("key", files.key)):
        require_readable(name, path)
    server, client = _server(files), _trusting(files.ca, ssl.PROTOCOL_TLS_CLIENT)
    shown = _meet(files, server, client, host)
    if route_hosts:
        client.load_cert_chain(files.cert, files.key)
        server.load_verify_locations(files.ca)
        server.verify_mode = ssl.CERT_REQUIRED
    for route_host in route_hosts:
        _meet(files, server, client, route_host)
    return shown


def require_readable(name: str, path: Path) -> None:
    """Refuse what cannot be read.

    Raises:
        CertificateProblem: why.
    """
    try:
        path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise CertificateProblem(f"{name}: there is no file {path}") from None
    except OSError as error:
        raise CertificateProblem(f"{name}: {path}: cannot be read: {error.strerror}") from None


def certificates(pem: bytes) -> str:
    """The certificates of a file, without whatever people have written between them."""
    return "\n".join([*map(bytes.decode, _CERTIFICATE.findall(pem)), ""])


def fingerprint(pem: str) -> str:
    """The SHA-256 of the first certificate in a PEM text."""
    first = _CERTIFICATE.findall(pem.encode())[0].decode()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


def _server(files: Files) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.cert, files.key, password=_refuse_to_ask)
    except (OSError, ValueError) as error:
        raise CertificateProblem(_pair_problem(files, error)) from None
    return context


def _trusting(ca: Path, protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError:
        raise CertificateProblem(f"ca: {ca}: is not in PEM") from None
    return context


def _pair_problem(files: Files, error: Exception) -> str:
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return f"key: {files.key}: is not the key of the certificate in {files.cert}"
    if not isinstance(error, ssl.SSLError):
        return f"key: {files.key}: has a passphrase; give one without"
    return f"cert and key: {files.cert} and {files.key}: is not in PEM, or holds something else"


def _refuse_to_ask() -> str:
    """Without a password OpenSSL would ask for one at the terminal."""
    raise ValueError


def _meet(files: Files, server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> Shown:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(_TURNS):
        for side, use in zip(sides, (_SERVER_USE, _ROUTE_USE), strict=True):
            _shake_hands(side, files, host, use)
    shown = sides[0].getpeercert(binary_form=True) or b""
    ends = ssl.cert_time_to_seconds(str((sides[0].getpeercert() or {})["notAfter"]))
    return Shown(hashlib.sha256(shown).hexdigest(), datetime.fromtimestamp(ends, UTC))


def _shake_hands(side: ssl.SSLObject, files: Files, host: str, use: str) -> None:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return
    except ssl.SSLCertVerificationError as error:
        problem = _VERIFY_PROBLEMS.get(error.verify_code, f"would be refused: {error.verify_message}")
        raise CertificateProblem(f"cert: {files.cert}: {problem.format(host=host, use=use)}") from None
    except ssl.SSLError as error:
        reason = (error.reason or "no handshake").replace("_", " ").lower()
        raise CertificateProblem(f"cert: {files.cert}: no client could use it: {reason}") from None
