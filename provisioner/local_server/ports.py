"""TCP ports of this machine: whether they are free, and which NATS server answers on one."""

from __future__ import annotations

import errno
import http.client
import json
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

# These are servers on this machine.
TIMEOUT_S: Final = 1.0
CLOSE_TIMEOUT_S: Final = 1.0
# How the error ends of a stream whose account has lost its JetStream.
_NO_JETSTREAM: Final = "JetStream not enabled for account (10039)"

_PEM: Final = "-----BEGIN CERTIFICATE-----"

# A server listens on these, nobody can connect to them.
_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


@dataclass(frozen=True)
class Greeting:
    """What a NATS server says of itself to whoever connects; ``cluster`` is None of one that is alone."""

    server_id: str
    name: str
    version: str
    cluster: str | None = None


def met_at(address: str) -> str:
    """Where a client on this machine meets a server that listens on an address."""
    return _EVERY_ADDRESS.get(address, address)


def problem(host: str, port: int) -> str | None:
    """Why a server could not listen there; ``None`` when it could.

    A process that was killed is gone before the kernel has closed its ports, so one in use gets
    `CLOSE_TIMEOUT_S` seconds to become free.
    """
    deadline = time.monotonic() + CLOSE_TIMEOUT_S
    while error := _try(host, port):
        if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
            return _explain(host, port, error)
        time.sleep(0.02)
    return None


def in_use(host: str, port: int) -> str | None:
    """What has the port; None where nothing has, or this process may not tell (another's address, a low port)."""
    error = _try(host, port)
    return problem(host, port) if error and error.errno == errno.EADDRINUSE else None


def greeting(host: str, port: int, ca: str | None = None) -> Greeting | None:
    """The greeting of the NATS server there, which comes in clear; ``None`` when none answers.

    Args:
        host: its address.
        port: that of the clients.
        ca: the CA of its certificate, a file or PEM, for one with TLS: it logs a client that goes before the handshake
            as an error.
    """
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as connection:
            line = connection.makefile("rb").readline(65_536)
            if ca and line:
                _end_politely(connection, host, ca)
    except OSError:
        return None
    return _read_greeting(line)


def _end_politely(connection: socket.socket, host: str, ca: str) -> None:
    with suppress(OSError):
        _trusting(ca).wrap_socket(connection, server_hostname=met_at(host)).close()


def health_problem(host: str, port: int, ca: str | None = None, question: str = "?details=true") -> str | None:
    """Why the server whose monitoring listens there does not call itself healthy; None where it does.

    Of a node that is: the cluster has a leader, and the node's replica of every stream and consumer is current. Streams
    of an account that the server no longer has make it unhealthy for good; here they do not count.

    Args:
        host: its address.
        port: that of its monitoring.
        ca: the file with the CA, or its PEM, that its certificate is verified with; None where it speaks HTTP.
        question: what /healthz is to look at, as nats-server spells it; everything by default.
    """
    try:
        connection = _monitoring(host, port, ca)
    except OSError as error:
        return f"its CA in {ca} cannot be used: {error}"
    try:
        connection.request("GET", f"/healthz{question}")
        response = connection.getresponse()
        return None if response.status == http.client.OK else _said(response.read())
    except (OSError, http.client.HTTPException) as error:
        return f"its monitoring does not answer: {error}"
    finally:
        connection.close()


def _monitoring(host: str, port: int, ca: str | None) -> http.client.HTTPConnection:
    if ca is None:
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    context = _trusting(ca)
    return http.client.HTTPSConnection(met_at(host), port, timeout=TIMEOUT_S, context=context)


def _trusting(ca: str) -> ssl.SSLContext:
    """Of a container's CA there is no file, only its text."""
    return ssl.create_default_context(cadata=ca) if _PEM in ca else ssl.create_default_context(cafile=ca)


def _said(body: bytes) -> str | None:
    """The reason in an answer of /healthz; None where the only ones are of accounts that it does not serve."""
    try:
        answer = json.loads(body)
        errors = answer.get("errors", [answer])
        return next((str(error["error"]) for error in errors if not _is_of_no_account(error)), None)
    except (ValueError, KeyError, TypeError):
        return "it says that it is not healthy"


def _is_of_no_account(error: Mapping[str, str]) -> bool:
    return error.get("type") == "ACCOUNT" or error["error"].endswith(_NO_JETSTREAM)


def _try(host: str, port: int) -> OSError | None:
    try:
        # As nats-server does it: a port whose last connections are still closing is free.
        socket.create_server((host, port), family=_family(host)).close()
    except OSError as error:
        return error
    return None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"cannot listen on port {port} of {host}: {error.strerror}"
    there = greeting(host, port)
    who = f" by a nats-server {there.version} named {there.name}" if there else ""
    return f"port {port} of {host} is in use{who}; stop what listens there or choose another port"


def _read_greeting(line: bytes) -> Greeting | None:
    """Read ``INFO {...}``, the first line of NATS's client protocol."""
    verb, _, body = line.partition(b" ")
    if verb != b"INFO":
        return None
    try:
        info = json.loads(body)
        return Greeting(info["server_id"], info["server_name"], info["version"], info.get("cluster"))
    except (ValueError, KeyError, TypeError):
        return None
