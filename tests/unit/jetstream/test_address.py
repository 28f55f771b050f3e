"""A server's address: what of it says where data is."""

from __future__ import annotations

import pytest

from provisioner.jetstream.address import places
from provisioner.reconcile.estate import Estate


@pytest.mark.parametrize(
    ("old", "new", "shared"),
    [
        ("nats://a:1", "tls://a:1", True),
        ("nats://a:1,nats://b:1", "tls://b:1", True),
        ("nats://a:1", "tls://a:2", False),
        ("nats://a:1", "tls://a:1#$JS.hub.API", False),
    ],
)
def test_tls_is_no_other_place(old: str, new: str, *, shared: bool) -> None:
    """A server that begins to speak TLS is the server that it was; another domain on it is not."""
    first, second = (Estate(owns_server=True, url=url, store="folder x") for url in (old, new))
    assert shared == first.shares_address_with(second) == second.shares_address_with(first)
    assert (old.partition("://")[2] == new.partition("://")[2]) == (places(old) == places(new))
