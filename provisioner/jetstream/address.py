"""A server's URL together with the JetStream that is meant there: one address, as the state keeps it.

A server reaches several JetStreams: that of the user's own account, those of domains behind leaf nodes, those that
other accounts export. Each has data of its own, so an address says which one: ``nats://host:4222#$JS.hub.API``.
"""

from __future__ import annotations

import re
from typing import Final

DEFAULT_API: Final = "$JS.API"
_MARK: Final = "#"
_SUBJECT: Final = re.compile(r"[^\s.*>#,]+(\.[^\s.*>#,]+)*")
_TOKEN: Final = re.compile(r"[^\s.*>#,]+")


def domain_api(domain: str) -> str:
    """The prefix of a domain's API.

    Raises:
        ValueError: no domain can have that name.
    """
    if not _TOKEN.fullmatch(domain):
        raise ValueError(f"{domain!r} is no JetStream domain; write one word without dots and wildcards")
    return f"$JS.{domain}.API"


def api_prefix(prefix: str) -> str:
    """A prefix of the API's subjects, checked.

    Raises:
        ValueError: it is none.
    """
    if not _SUBJECT.fullmatch(prefix):
        raise ValueError(f"{prefix!r} is no prefix of subjects; write it like $JS.hub.API, without a last dot")
    return prefix


def address(urls: str, api: str | None) -> str:
    """The URLs of a server, with commas between, each with the API that is meant if it is not the account's own."""
    return urls if api in {None, DEFAULT_API} else ",".join(f"{url}{_MARK}{api}" for url in urls.split(","))


def servers(address: str) -> str:
    """The URLs alone."""
    return ",".join(url.partition(_MARK)[0] for url in address.split(","))


def places(address: str) -> frozenset[str]:
    """Where a client of an address is led, be it with TLS or without: that is the same server."""
    return frozenset(url.partition("://")[2] for url in address.split(","))


def api(address: str) -> str:
    """The API's prefix alone."""
    return address.partition(",")[0].partition(_MARK)[2] or DEFAULT_API
