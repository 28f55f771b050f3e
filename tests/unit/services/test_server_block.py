"""The text of the server's configuration, and the logins that it needs."""

from __future__ import annotations

import pytest

from provisioner.catalogue.reader import parse
from provisioner.errors import ServicesError
from provisioner.services.logins import Login, Logins, Nkey, Password
from provisioner.services.reader import read
from provisioner.services.server_block import accounts_block

STREAMS = parse("ORDERS: {subjects: [orders.x]}", "streams.yaml")
SERVICES = "services: {s: {purpose: 'Sends \"orders\"', publishes: [orders.x]}}\n"
OFF = "provisioner: {copies: false, counts: false}\n"
HASH = "$2b$05$" + "a" * 53
LOGINS: dict[str, Login] = {
    "s": Nkey("U" + "A" * 55),
    "provisioner": Nkey("U" + "B" * 55),
    "monitoring": Password("ann", HASH),
}


def _block(text: str, logins: Logins) -> str:
    return accounts_block(read(text, "services.yaml", STREAMS), STREAMS, logins)


def test_an_account() -> None:
    """Only the limits that the file sets are there; the purpose is a comment."""
    text = f"account: {{name: APP, max_file: 1KiB, max_mem: 0, max_payload: 2KiB}}\n{OFF}{SERVICES}"
    assert f"""\
accounts {{
  "APP" {{
    jetstream {{
      max_mem: 0
      max_file: 1024
    }}
    limits {{
      max_payload: 2048
    }}
    users = [
      # s: Sends "orders"
      {{
        nkey: "U{"A" * 55}"
        permissions: {{
          publish: {{ allow: [
            "orders.x"
          ] }}
          subscribe: {{ allow: [
            "_INBOX_s.>"
          ] }}
        }}
      }}
""" == _block(text, LOGINS).partition("      # provisioner")[0]


def test_without_limits() -> None:
    """An account without any has JetStream nevertheless."""
    assert ["accounts {", '  "APP" {', "    jetstream: enabled", "    users = ["] == (
        _block(f"account: {{name: APP}}\n{SERVICES}", LOGINS).splitlines()[:4]
    )


def test_the_global_account() -> None:
    """Its users stand in authorization: no configuration may name it."""
    lines = _block(SERVICES, LOGINS).splitlines()
    assert ["authorization {", "  users = ["] == lines[:2]
    assert ['      user: "ann"', f'      password: "{HASH}"'] == [
        line for line in lines if "ann" in line or HASH in line
    ]


def test_a_purpose_stays_a_comment() -> None:
    """A line break in it does not become a line of the configuration."""
    text = 'services: {s: {purpose: "a\\n} evil {\\u2028", publishes: [orders.x]}}\n'
    assert [r"    # s: a\n} evil {\u2028"] == [line for line in _block(text, LOGINS).splitlines() if "evil" in line]


def test_logins_that_cannot_be_used() -> None:
    """All at once, and no password that is not a hash is repeated."""
    logins: dict[str, Login] = {
        "s": Nkey("SU" + "A" * 56),
        "provisoner": Password("ann", "s3cret"),
        "monitoring": Password("", HASH),
    }
    with pytest.raises(ServicesError) as error:
        _block(SERVICES, logins)
    assert [
        "logins: provisioner: is missing; each identity needs one",
        "logins: s: is not a user's public nkey; one begins with U and has 56 characters",
        "logins: provisoner: is no service of the file; did you mean provisioner?",
        "logins: provisoner: has no bcrypt hash; one begins with $2b$ and has 60 characters",
        "logins: monitoring: has no user name",
    ] == str(error.value).splitlines()


def test_a_login_belongs_to_one_identity() -> None:
    """The server would give both the permissions of one of them."""
    with pytest.raises(ServicesError) as error:
        _block(SERVICES, {**LOGINS, "provisioner": LOGINS["s"]})
    assert [
        "logins: s: has another's login; each needs its own",
        "logins: provisioner: has another's login; each needs its own",
    ] == str(error.value).splitlines()
