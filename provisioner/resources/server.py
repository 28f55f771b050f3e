"""``Server``: where a program's streams are, and how to log in there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import pulumi
from pulumi import Input

from provisioner.jetstream.address import address, api_prefix, domain_api
from provisioner.jetstream.login import way_problems
from provisioner.jetstream.target import monitor_urls, server_urls
from provisioner.providers.engine import announce_program
from provisioner.providers.server_login import LOGIN, LOGIN_ARGUMENTS, SERVER
from provisioner.resources.declared import Declared
from provisioner.resources.errors import ArgumentError, named
from provisioner.resources.gate import Gate, gate_of
from provisioner.resources.values import is_plain
from provisioner.schema.model import OnDelete

Policy = Literal["guard", "delete", "retain"]

_NO_LOGIN: Final = "the server's configuration: its monitoring has no login"


class Server:
    """A NATS server or cluster that streams, buckets and consumers are declared on.

    It is no resource itself, but has one, of its name: before anything of a run is touched, that one has found every
    problem and every message that the run would cost, and refuses for all.

    Args:
        url: where clients connect, or several with commas between; without credentials.
        name: the name of its resource; a second server of a program needs another one.
        user: user name, with password.
        password: password, with user; a secret in the state, as all of a login is.
        token: token.
        credentials: a .creds file's path or its text.
        nkey: a user's seed, or the path of its file.
        inbox_prefix: what the subjects of answers begin with.
        ca: file with the CA of the server's certificate.
        cert: file with the certificate that is shown to it, with key.
        key: file with its private key, with cert.
        domain: JetStream domain, behind a leaf node.
        api_prefix: what the API's subjects begin with instead of $JS.API.
        monitor_url: its HTTP monitoring, for the storage it has left.
        on_delete: what deleting does to a stream that has no policy of its own.
        backup_to: folder that a stream is written to before it loses messages.
        gate: False for a program that declares streams later than at its top level: then each refuses for itself,
            and one that leaves the program not before it is deleted.

    Raises:
        ArgumentError: an argument is wrong.
    """

    @named
    def __init__(  # noqa: PLR0913 - each is one thing to say of a server
        self,
        url: Input[str],
        *,
        name: str = "server",
        user: Input[str] | None = None,
        password: Input[str] | None = None,
        token: Input[str] | None = None,
        credentials: Input[str] | None = None,
        nkey: Input[str] | None = None,
        inbox_prefix: Input[str] | None = None,
        ca: Input[str] | None = None,
        cert: Input[str] | None = None,
        key: Input[str] | None = None,
        domain: str | None = None,
        api_prefix: str | None = None,
        monitor_url: Input[str] | None = None,
        on_delete: OnDelete | Policy = "guard",
        backup_to: str | None = None,
        gate: bool = True,
    ) -> None:
        login = {
            "user": user,
            "password": password,
            "token": token,
            "credentials": credentials,
            "nkey": nkey,
            "inbox_prefix": inbox_prefix,
            "ca": ca,
            "cert": cert,
            "key": key,
        }
        self.name = name
        self._said = (url, login, domain, api_prefix, monitor_url, on_delete, backup_to)
        self.login = {part: value for part, value in login.items() if value is not None}
        self.on_delete, self.backup_to = _policy(name, on_delete), backup_to
        problems: list[str] = [*way_problems(self.login)]
        api = _api(domain, api_prefix, problems)
        self.url, self.monitor_url = _url(url, api, problems), _monitor_url(monitor_url, problems)
        if problems:
            raise ArgumentError("\n".join(f"Server {name}: {problem}" for problem in problems))
        announce_program()
        self._gate: Gate | None = gate_of(self) if gate else None

    def properties(self) -> Mapping[str, Any]:
        """What each resource on it is registered with."""
        said = {"url": self.url, "monitor_url": self.monitor_url, "backup_to": self.backup_to, SERVER: self.name}
        login = {LOGIN: pulumi.Output.secret(self.login)} if self.login else {}
        return {key: value for key, value in said.items() if value is not None} | login | {"owner": owner()}

    def enter(self, declared: Declared) -> list[Input[pulumi.Resource]]:
        """Let the gate know what is declared on it; what that has to wait for."""
        return [self._gate.enter(declared)] if self._gate else []

    def is_same(self, other: Server) -> bool:
        """Whether both are said in the same words, as where a program says it once a stream."""
        return _is_same(self._said, other._said)


def owner() -> str:
    """Project and stack."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}"


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all(map(_is_same, one, other))
    return one is other or (is_plain(one) and is_plain(other) and one == other)


def _policy(name: str, on_delete: str) -> OnDelete:
    try:
        return OnDelete(on_delete)
    except ValueError:
        raise ArgumentError(f"Server {name}: on_delete: {on_delete!r} is not one of {', '.join(OnDelete)}") from None


def _api(domain: str | None, prefix: str | None, problems: list[str]) -> str | None:
    if domain and prefix:
        problems.append("domain and api_prefix: both name the API; keep one")
    try:
        return domain_api(domain) if domain else api_prefix(prefix) if prefix else None
    except ValueError as error:
        problems.append(f"{'domain' if domain else 'api_prefix'}: {error}")
    return None


def _url(url: Input[str], api: str | None, problems: list[str]) -> Input[str]:
    if not isinstance(url, str):
        given: pulumi.Output[str] = pulumi.Output.from_input(url)
        return given.apply(lambda known: address(known, api))
    try:
        return address(server_urls(url, LOGIN_ARGUMENTS), api)
    except ValueError as error:
        problems.append(f"url: {error}")
    return url


def _monitor_url(url: Input[str] | None, problems: list[str]) -> Input[str] | None:
    try:
        return monitor_urls(url, _NO_LOGIN) if isinstance(url, str) else url
    except ValueError as error:
        problems.append(f"monitor_url: {error}")
    return None
