"""The services' file as values, and every problem that it can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.reader import load, parse
from provisioner.errors import ServicesError
from provisioner.services.model import Account, Consumption, LoginKind, Monitoring, Provisioner, Service, Services
from provisioner.services.reader import read

ROOT = Path(__file__).parents[3]
STREAMS = parse(
    """
ORDERS: {subjects: [orders.*, orders.deep.>], max_bytes: 2GiB}
EVENTS: {subjects: [events.a, events.b], max_bytes: 1GiB}
COPY: {mirror: {name: ORDERS}, max_bytes: 1GiB}
""",
    "streams.yaml",
)
SHAPE = "write services: and below it each service's name and block, indented"
DEEPER = "'orders.*' would also let orders.> through: a permission cannot tell them apart"
BUILT_IN = "is built in; configure it at the left margin, and choose another name for a service"
IDLE = "is missing, and so are consumes, creates, reads, writes and watches; a service does at least one of them"
RULE = "write a letter, then up to 62 letters, digits, - and _"


def _read(text: str) -> Services:
    return read(text, "services.yaml", STREAMS)


def test_every_key() -> None:
    """Short and long forms; what is left out has its default."""
    services = _read("""
account: {name: APP, max_mem: 0, max_file: unlimited, max_streams: 9, max_consumers: 5, max_connections: 7,
          max_subscriptions: 8, max_payload: 1MiB}
provisioner: {purpose: Streams, copies: false}
monitoring: {purpose: Looks}
services:
  a:
    purpose: First
    publishes: ["orders.*"]
    consumes:
      - EVENTS
      - {stream: ORDERS, consumers: [a, a-2], subjects: [orders.x]}
    creates: [ORDERS]
  b: {consumes: [EVENTS]}
""")
    limits = {
        "max_mem": 0, "max_file": -1, "max_streams": 9, "max_consumers": 5, "max_connections": 7,
        "max_subscriptions": 8, "max_payload": 1024**2,
    }  # fmt: skip
    consumes = (Consumption("EVENTS", ("a",)), Consumption("ORDERS", ("a", "a-2"), ("orders.x",)))
    a = Service("a", "First", ("orders.*",), consumes, ("ORDERS",))
    b = Service("b", consumes=(Consumption("EVENTS", ("b",)),))
    assert (
        Services((a, b), Account("APP", limits), Provisioner("Streams", copies=False, counts=True), Monitoring("Looks"))
        == services
    )
    assert {"a": "First", "b": "", "provisioner": "Streams", "monitoring": "Looks"} == services.purposes


def test_without_an_account() -> None:
    """Users are then in the server's own account, where its streams are already."""
    assert Account("$G", {}) == _read("services: {a: {creates: [ORDERS]}}").account


def test_the_committed_file() -> None:
    """It has no problems, and every stream that is created at start-up is one of the catalogue."""
    catalogue = load(ROOT / "infra/streams.yaml")
    services = read((ROOT / "infra/services.yaml").read_text(), "infra/services.yaml", catalogue)
    created = {stream for service in services.services for stream in service.creates}
    assert {"MARKET_DATA", "PREDICTIONS", "EXPLANATIONS", "ROUTING"} == created


PROBLEMS = [
    ("empty", "", [f"1: is not a map of services; {SHAPE}"]),
    ("a list", "- a\n", [f"1: is not a map of services; {SHAPE}"]),
    ("no services", "services: {}\n", [f"1: no services; {SHAPE}"]),
    ("none but an account", "account: {name: A}\n", [f"1: no services; {SHAPE}"]),
    ("not closed", "services: [\n", ["2: did not find expected node content"]),
    (
        "an anchor",
        "services: {a: &x {creates: [ORDERS]}}\n",
        ["1: services.a: anchors (&x) are not supported; write each value out"],
    ),
    (
        "a way to log in that there is not",
        "login: cred\nservices: {a: {creates: [ORDERS], login: 1}}\n",
        [
            "1: login: 'cred' is not one of nkey, password, creds; did you mean creds?",
            "2: services.a.login: 1 is not one of nkey, password, creds",
        ],
    ),
    (
        "creds for one",
        "services: {a: {creates: [ORDERS], login: creds}}\n",
        ["1: services.a.login: creds is for everybody or nobody; write it at the left margin, and take it out here"],
    ),
    (
        "creds with others, and without an account",
        "login: creds\nmonitoring: {login: nkey}\nservices: {a: {creates: [ORDERS], login: password}}\n",
        [
            "1: login: creds needs an account with a name; write account: {name: PREDICTION_SYSTEM}",
            "2: monitoring.login: nkey does not go with login: creds at the left margin; take one of them out",
            "3: services.a.login: password does not go with login: creds at the left margin; take one of them out",
        ],
    ),
    (
        "unknown keys",
        "servces: {}\nservices: {a: {creates: [ORDERS], publish: [x]}}\nmonitoring: {copies: true}\n",
        [
            f"1: servces: unknown key; did you mean services?; {SHAPE}",
            "2: services.a.publish: unknown field; did you mean publishes?",
            "3: monitoring.copies: unknown field",
        ],
    ),
    (
        "no blocks",
        "account: big\nprovisioner: [x]\nservices: {a: x}\n",
        [
            "1: account: is not a block; write each entry as key: value, on its own line",
            "1: account.name: is missing; a name such as PREDICTION_SYSTEM",
            "2: provisioner: is not a block; write each entry as key: value, on its own line",
            "3: services.a: is not a block; write each entry as key: value, on its own line",
            f"3: services.a.publishes: {IDLE}",
        ],
    ),
    (
        "names",
        (
            "services:\n"
            + "".join(
                f"  {name}: {{creates: [ORDERS]}}\n" for name in ("1a", "a.b", '"*"', '"a b"', "provisioner", "é")
            )
        ),
        [
            f"2: services.1a: cannot be part of a subject; {RULE}",
            f"3: services.a.b: cannot be part of a subject; {RULE}",
            f"4: services.*: cannot be part of a subject; {RULE}",
            f"5: services.a b: cannot be part of a subject; {RULE}",
            f"6: services.provisioner: {BUILT_IN}",
            f"7: services.é: cannot be part of a subject; {RULE}",
        ],
    ),
    (
        "the same name",
        "services:\n  a: {creates: [ORDERS]}\n  a: {creates: [ORDERS]}\n",
        [
            "3: services.a: duplicate key, first defined on line 2",
        ],
    ),
    (
        "streams",
        "services: {a: {\n\nconsumes: [ORDRES, {stream: X}, {consumers: [b]}],\ncreates: [EVENT, ORDERS, ORDERS]}}\n",
        [
            "3: services.a.consumes[2]: needs stream",
            "3: services.a.consumes[0]: 'ORDRES' is no stream of the catalogue; did you mean ORDERS?",
            "3: services.a.consumes[1]: 'X' is no stream of the catalogue",
            "4: services.a.creates[0]: 'EVENT' is no stream of the catalogue; did you mean EVENTS?",
            "4: services.a.creates[2]: 'ORDERS' is there twice; take one out",
        ],
    ),
    (
        "subjects",
        'services:\n  a: {publishes: [orders..x, evnts.a, $JS.API.>, _INBOX.>, events.a, events.a, ">"]}\n',
        [
            "2: services.a.publishes[0]: 'orders..x' is not a subject",
            "2: services.a.publishes[1]: no stream of the catalogue captures 'evnts.a'; did you mean events.a?",
            "2: services.a.publishes[2]: no stream of the catalogue captures '$JS.API.>'",
            "2: services.a.publishes[3]: no stream of the catalogue captures '_INBOX.>'",
            "2: services.a.publishes[5]: 'events.a' is there twice; take one out",
        ],
    ),
    (
        "consumers",
        (
            "services:\n"
            "  a: {consumes: [EVENTS, {stream: ORDERS, consumers: [x, x, 'b*', a]}]}\n"
            "  b: {consumes: [{stream: ORDERS, consumers: [b, a]}, {stream: EVENTS, consumers: [x]}]}\n"
        ),
        [
            "2: services.a.consumes[1].consumers[1]: 'x' is there twice; take one out",
            f"2: services.a.consumes[1].consumers[2]: 'b*' cannot be part of a subject; {RULE}",
            "3: services.b.consumes[0]: consumer a of ORDERS is a's; each needs one of its own",
        ],
    ),
    (
        "filters",
        (
            "services:\n"
            "  a:\n    consumes:\n"
            "      - {stream: ORDERS, subjects: [events.a, 'orders.*', orders.x]}\n"
            "      - {stream: EVENTS, subjects: [events..a, 'events.*']}\n"
            "      - {stream: COPY, subjects: [anything, 'orders.*']}\n"
        ),
        [
            "4: services.a.consumes[0].subjects[0]: ORDERS captures nothing that 'events.a' matches",
            f"4: services.a.consumes[0].subjects[1]: {DEEPER}",
            "5: services.a.consumes[1].subjects[0]: 'events..a' is not a subject",
            f"6: services.a.consumes[2].subjects[1]: {DEEPER}",
        ],
    ),
    (
        "types",
        "services: {a: {purpose: 1, publishes: orders.x, consumes: [1], creates: {}}}\n",
        [
            "1: services.a.purpose: 1 is not text; put it in quotes",
            "1: services.a.publishes: is not a list; begin each entry with a dash",
            "1: services.a.consumes[0]: is not a block with stream, consumers, subjects",
            "1: services.a.creates: is not a list; begin each entry with a dash",
        ],
    ),
    (
        "limits",
        (
            "account:\n  name: SYS\n  max_file: 3GiB\n  max_streams: 2\n  max_connections: 0\n  max_mem: much\n"
            "services: {a: {creates: [ORDERS]}}\n"
        ),
        [
            f"2: account.name: 'SYS' cannot be an account's name; {RULE}, and not SYS or SYSTEM",
            "3: account.max_file: 3.0 GiB is less than the 4.0 GiB that the streams of the catalogue reserve",
            "4: account.max_streams: 2 is less than the 3 streams of the catalogue",
            "5: account.max_connections: 0 is no limit; write 1 or more, or unlimited",
            "6: account.max_mem: 'much' is not a size; write it like 10GiB or 512MB",
        ],
    ),
]


def test_everybodys_way_to_log_in_and_ones_own() -> None:
    """A block's own word counts more than the file's."""
    some = "services: {a: {creates: [ORDERS]}, b: {creates: [ORDERS], login: nkey}}\n"
    text = f"login: password\n{some}monitoring: {{login: nkey}}\n"
    ways = {name: identity.login.value for name, identity in _read(text).identities.items()}
    assert {"a": "password", "b": "nkey", "provisioner": "password", "monitoring": "nkey"} == ways


def test_creds_are_everybodys() -> None:
    """The account is then called by its key."""
    services = _read("login: creds\naccount: {name: APP}\nservices: {a: {creates: [ORDERS], login: creds}}\n")
    assert {LoginKind.CREDS} == {identity.login for identity in services.identities.values()}
    assert services.account_id.startswith("A")
    assert len(services.account_id) == 56


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS])
def test_problems(text: str, expected: list[str]) -> None:
    """Each is one line, with its place and what to do; all at once."""
    with pytest.raises(ServicesError) as error:
        _read(text)
    assert [f"services.yaml:{line}" for line in expected] == str(error.value).splitlines()


@pytest.mark.parametrize(
    ("name", "value"), [("max_mem", "0"), ("max_mem", "0B"), ("max_mem", "'0'"), ("max_file", "4GiB")]
)
def test_limits_that_are_taken(name: str, value: str) -> None:
    """No memory at all is 0, and what the streams reserve is enough."""
    limits = _read(f"account: {{name: A, {name}: {value}}}\nservices: {{a: {{creates: [ORDERS]}}}}\n").account.limits
    assert {name: 4 * 1024**3 if name == "max_file" else 0} == limits


def test_a_catalogue_without_streams_captures_nothing() -> None:
    """Then there is nothing that a service may do."""
    with pytest.raises(ServicesError, match=r"no stream of the catalogue captures 'a'"):
        read("services: {s: {publishes: [a]}}", "services.yaml", Catalogue(()))
