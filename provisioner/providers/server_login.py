"""Which server the properties of a resource mean, and how to log in to it.

A program of this project has one server, whose login the stack's settings have. Any other program says itself how to
log in: each resource has the login among its properties, as a secret, and the name that the program has for the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from provisioner.jetstream.address import servers
from provisioner.jetstream.target import Credentials, server_urls
from provisioner.providers.engine import other_login
from provisioner.reconcile.context import Context, context

# What the program calls the server; absent where it has but one, whose login is in the stack's settings.
SERVER: Final = "server"
LOGIN: Final = "login"
LOGIN_ARGUMENTS: Final = "the arguments user and password, or token"

Props = Mapping[str, Any]


def name_of(props: Props) -> str:
    """What the program calls the server."""
    return str(props.get(SERVER) or "")


def login_of(props: Props) -> Credentials | None:
    """The login that a program has said itself; None where the stack's settings have it."""
    return Credentials(**(props.get(LOGIN) or {})) if name_of(props) else None


def url_problem(props: Props) -> str | None:
    """What is wrong with a url that a program has said itself."""
    try:
        if name_of(props):
            server_urls(servers(props["url"]), LOGIN_ARGUMENTS)
    except ValueError as error:
        return f"url: {error}"
    return None


def context_of(credentials: Credentials, props: Props) -> Context:
    """The server that the properties of a stream or consumer name, and the run.

    Args:
        credentials: those of the stack's settings.
        props: the properties.
    """
    own = login_of(props)
    where = context(props["url"], props.get("monitor_url"), own or credentials, name_of(props))
    if own is None:
        where.server.renewed_login = partial(other_login, props.get("owner"), props["url"])
    where.server.store = store_of(props)
    return where


def store_of(props: Props) -> str:
    """The name of the data that a stream is in."""
    store = props.get("store")
    return store if isinstance(store, str) else str(props["url"])
