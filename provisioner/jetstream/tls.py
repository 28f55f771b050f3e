"""TLS: what this side trusts and shows, and what went wrong when either side refuses the other's certificate."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from provisioner.errors import LoginRefused
from provisioner.jetstream.login import require_file
from provisioner.jetstream.target import Credentials

_TLS_SCHEMES: Final = ("tls:", "wss:")
_ADVICE: Final = "check ca, cert and key"

_EXPIRED: Final = 10
# OpenSSL's X509_V_ERR_… of a certificate that the server shows.
_OF_THE_SERVER: Final = {
    9: "the server's certificate is not valid yet; check both clocks",
    _EXPIRED: "the server's certificate has expired; renew it on the server",
    18: "the server's certificate is signed by itself, and that is not what ca has; give ca the certificate's own CA",
    19: "the CA of the server's certificate is not trusted; give ca a file that has it",
    20: "the CA of the server's certificate is not trusted; give ca a file that has it",
    62: "the server's certificate is for another host name; use one of its names in url",
    64: "the server's certificate is not for this IP address; use one of its names in url",
}
# The alerts with which the server refuses what this side shows.
_OF_THIS_SIDE: Final = {
    "CERTIFICATE_REQUIRED": "the server wants a client certificate; set cert and key",
    "BAD_CERTIFICATE": "the server does not take the client certificate, or wants one; check cert and key",
    "UNKNOWN_CA": "the server does not trust the CA of the client certificate; use a cert that its CA has signed",
    "CERTIFICATE_EXPIRED": "the client certificate has expired; renew cert",
    "CERTIFICATE_REVOKED": "the client certificate is revoked; use another cert",
    "HANDSHAKE_FAILURE": "the server and this client have no version or cipher of TLS in common",
    "PROTOCOL_VERSION": "the server and this client have no version of TLS in common",
}
_NOT_TLS: Final = {"WRONG_VERSION_NUMBER", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}
NO_TLS: Final = "the server does not speak TLS there; write the url with nats://, without ca, cert and key"


def is_wanted(urls: str, credentials: Credentials) -> bool:
    """Whether nothing may be sent to the server in clear."""
    given = credentials.ca or credentials.cert or credentials.key
    return bool(given) or any(url.startswith(_TLS_SCHEMES) for url in urls.split(","))


def context(credentials: Credentials) -> ssl.SSLContext:
    """What is trusted, the CA's file alone or else the machine's; and what is shown to a server that asks.

    Raises:
        LoginRefused: a file cannot be used.
    """
    if bool(credentials.cert) != bool(credentials.key):
        raise LoginRefused("cert and key: one without the other; give both")
    with _one_line("ca", credentials.ca):
        made = ssl.create_default_context(cafile=credentials.ca or None, cadata=credentials.trusted or None)
    if credentials.cert and credentials.key:
        with _one_line("cert and key", credentials.cert, credentials.key):
            # Without a password OpenSSL would ask for one at the terminal.
            made.load_cert_chain(credentials.cert, credentials.key, password=_refuse_to_ask)
    return made


def monitoring_context(credentials: Credentials) -> ssl.SSLContext:
    """What is trusted of the monitoring: the same, and of somebody else's server the machine's CAs as well.

    It may be behind a proxy that has another certificate than the server.

    Raises:
        LoginRefused: a file cannot be used.
    """
    made = context(credentials)
    if not credentials.trusted:
        made.load_default_certs()
    return made


@contextmanager
def _one_line(what: str, *given: str | None) -> Iterator[None]:
    paths = [path for path in given if path]
    for path in paths:
        _require_file(what, path)
    try:
        yield
    except (OSError, ValueError) as cause:
        raise LoginRefused(f"{what}: {' and '.join(paths)}: {_file_problem(cause)}") from cause


def _require_file(what: str, path: str) -> None:
    """A path that is none may be a key's text: it is not repeated then."""
    if "-----BEGIN" in path:
        raise LoginRefused(f"{what}: is the text of a file; give the file's path")
    require_file(what, path, "the path of a PEM file")


def _file_problem(cause: Exception) -> str:
    match getattr(cause, "reason", None):
        case "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        case None if isinstance(cause, PermissionError):
            return "cannot be read: permission denied"
        case None if isinstance(cause, ValueError):
            return "the key has a passphrase; give one without"
        case _:
            return "is not in PEM"


def _refuse_to_ask() -> str:
    raise ValueError


def has_expired(error: BaseException) -> bool:
    """Whether a handshake failed as the server's certificate is too old."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code == _EXPIRED


def problem(error: BaseException) -> str | None:
    """What is wrong with whose certificate, and what to do; None where TLS is not the problem."""
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"the server's certificate is refused: {error.verify_message}; {_ADVICE}"
        return _OF_THE_SERVER.get(error.verify_code, words)
    if not isinstance(error, ssl.SSLError):
        return None
    reason = error.reason or ""
    if reason in _NOT_TLS:
        return NO_TLS
    alert = re.sub(r"^(SSLV3|TLSV\d+)_ALERT_", "", reason)
    return _OF_THIS_SIDE.get(alert, f"TLS: {reason.replace('_', ' ').lower() or 'no handshake'}; {_ADVICE}")
