"""The stack's settings: one table, every mistake at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import stack_config
from infra.servers import external, local_url
from infra.settings import TABLE, SettingsError, parse
from infra.stack_config import require_secret
from provisioner.jetstream.address import api, servers

PROCESS = {"server": "process"}
EXTERNAL = {"server": "external", "url": "nats://a:4222"}
TLS_FILES = {"tls": "files", "ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}


def _mistakes(raw: Mapping[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(raw, "dev")
    return [line.removeprefix("settings of stack dev: ") for line in str(caught.value).splitlines()]


def test_defaults() -> None:
    """A stack that only says which server it has gets the documented defaults."""
    found = parse({"server": "docker"}, "dev")

    assert (found.client_port, found.monitor_port, found.bind_address) == (4222, 8222, "127.0.0.1")
    assert (found.image, found.on_delete, found.stack) == ("nats:2.15.1-alpine", "guard", "dev")
    assert found.catalogue == Path("infra/streams.yaml")
    assert found.max_file_store is None


def test_each_stack_has_a_folder_of_its_own() -> None:
    """Two process stacks of one project never share a store."""
    assert parse(PROCESS, "a").store_dir == Path.cwd() / ".nats/a"
    assert parse(PROCESS, "b").store_dir == Path.cwd() / ".nats/b"


def test_values_are_typed() -> None:
    """Ports are numbers, sizes bytes, folders absolute."""
    found = parse({**PROCESS, "clientPort": "1", "maxFileStore": "24GiB", "storeDir": "store"}, "dev")

    assert (found.client_port, found.max_file_store) == (1, 24 * 1024**3)
    assert found.store_dir == Path.cwd() / "store"


@pytest.mark.parametrize(
    ("said", "ports"),
    [({}, (4222, 4223, 4224)), ({"clientPort": "1"}, (1, 2, 3)), ({"clientPort": "7, 5,9"}, (7, 5, 9))],
)
def test_a_port_for_each_node(said: dict[str, str], ports: tuple[int, ...]) -> None:
    """Side by side from the one that is said, or each as it is said."""
    found = parse({**PROCESS, "nodes": "3", **said}, "dev")
    assert (found.client_ports, found.nodes) == (ports, 3)
    assert (found.monitor_ports, found.cluster_ports) == ((8222, 8223, 8224), (6222, 6223, 6224))


def test_tls() -> None:
    """Paths are absolute, as the server is started elsewhere; what is made is the first of its kind."""
    found = parse({**PROCESS, **TLS_FILES}, "dev")
    assert (found.tls, found.ca, found.key) == ("files", Path.cwd() / "ca.pem", Path.cwd() / "key.pem")
    found = parse({**PROCESS, "tls": "authority", "certificate": "2"}, "dev")
    assert (found.authority, found.certificate, found.ca) == (1, 2, None)


def test_encryption() -> None:
    """None unless it is said; the key is in no text of the settings."""
    assert parse(PROCESS, "dev").encryption is None
    found = parse({**PROCESS, "encryption": "aes", "encryptionKey": " " + "k" * 32}, "dev")
    assert (found.encryption, found.encryption_key) == ("aes", "k" * 32)
    assert "kkk" not in repr(found)
    with pytest.raises(SettingsError, match="encryptionKey: is in clear"):
        require_secret({"encryptionKey": "k" * 32}, set(), "dev")


def test_several_urls() -> None:
    """The servers of a cluster can be listed."""
    assert parse({**EXTERNAL, "url": "nats://a:4222, tls://b"}, "dev").url == "nats://a:4222,tls://b"


@pytest.mark.parametrize(
    ("raw", "mistake"),
    [
        ({}, "server: missing; say one of docker, process, external"),
        ({"server": "dokcer"}, "server: 'dokcer' is none of docker, process, external; did you mean docker?"),
        ({**PROCESS, "clientport": "1"}, "clientport: unknown setting; did you mean clientPort?"),
        ({**PROCESS, "colour": "red"}, "colour: unknown setting"),
        ({**PROCESS, "clientPort": "0"}, "clientPort: '0' is not a port; write a number from 1 to 65535"),
        ({**PROCESS, "clientPort": "65536"}, "clientPort: '65536' is not a port; write a number from 1 to 65535"),
        ({**PROCESS, "clientPort": "4e3"}, "clientPort: '4e3' is not a port; write a number from 1 to 65535"),
        ({**PROCESS, "clientPort": "8222"}, "monitorPort: 8222 is in clientPort as well; each needs a port of its own"),
        ({**PROCESS, "nodes": "2"}, "nodes: '2' is none of 1, 3, 5"),
        ({**PROCESS, "replicas": "0"}, "replicas: '0' is none of 1, 2, 3, 4, 5"),
        (
            {**PROCESS, "nodes": "3", "clientPort": "8220"},
            "monitorPort: 8222 is in clientPort as well; each needs a port of its own",
        ),
        ({**PROCESS, "nodes": "3", "clientPort": "65534"}, "clientPort: 65536 is not a port; the last is 65535"),
        (
            {**PROCESS, "nodes": "3", "clientPort": "1,2"},
            "clientPort: 2 ports for 3 nodes; write the first alone, or one for each node",
        ),
        (
            {**EXTERNAL, "nodes": "3"},
            "nodes: does not apply to server: external, only to docker and process; remove it",
        ),
        ({**PROCESS, "bindAddress": "pc"}, "bindAddress: 'pc' is not an IP address; write one like 127.0.0.1"),
        ({**PROCESS, "maxFileStore": "lots"}, "maxFileStore: 'lots' is not a size; write it like 10GiB or 512MB"),
        ({**PROCESS, "maxFileStore": "0"}, "maxFileStore: 0 leaves no room for any stream; write a size like 24GiB"),
        ({**PROCESS, "encryption": "rot13"}, "encryption: 'rot13' is none of none, chachapoly, aes"),
        (
            {**PROCESS, "encryption": "aes", "encryptionKey": "short secret"},
            "encryptionKey: is shorter than 32 characters; make one: openssl rand -hex 32",
        ),
        (
            {**PROCESS, "encryptionKey": "k" * 32},
            "encryptionKey: nothing is encrypted with it; set encryption: chachapoly, or remove it",
        ),
        ({**PROCESS, "storeDir": " "}, "storeDir: is empty; give it a value or remove it"),
        ({**PROCESS, "onDelete": "keep"}, "onDelete: 'keep' is none of guard, delete, retain"),
        ({**PROCESS, "image": "nats"}, "image: does not apply to server: process, only to docker; remove it"),
        ({**PROCESS, "token": "t"}, "token: does not apply to server: process, only to external; remove it"),
        (
            {**EXTERNAL, "clientPort": "1"},
            "clientPort: does not apply to server: external, only to docker and process; remove it",
        ),
        ({"server": "external"}, "url: missing; an external server needs one"),
        ({**EXTERNAL, "url": "a:4222"}, "url: 'a:4222' is not the URL of a NATS server; write it like nats://host:4222"),
        ({**EXTERNAL, "url": "http://a"}, "url: 'http://a' is not the URL of a NATS server; write it like nats://host:4222"),
        ({**EXTERNAL, "user": "u"}, "user and password: one without the other; give both"),
        ({**PROCESS, "tls": "yes"}, "tls: 'yes' is none of authority, files"),
        (
            {**EXTERNAL, "tls": "files"},
            "tls: does not apply to server: external, only to docker and process; remove it",
        ),
        ({"server": "docker", "ca": "ca.pem"}, "ca: has no use without tls: files; remove it"),
        ({**PROCESS, "ca": "ca.pem"}, "ca: has no use without tls: files; remove it"),
        ({**PROCESS, "certificate": "2"}, "certificate: has no use without tls: authority; remove it"),
        ({**PROCESS, "tls": "authority", "ca": "c"}, "ca: has no use without tls: files; remove it"),
        ({**PROCESS, "tls": "authority", "authority": "0"}, "authority: '0' is not a whole number from 1"),
        ({**PROCESS, **TLS_FILES, "authority": "2"}, "authority: has no use without tls: authority; remove it"),
        ({**PROCESS, "tls": "files", "cert": "c", "key": "k"}, "ca: missing; tls: files needs one"),
        (
            {**EXTERNAL, "token": "t", "credentials": "c"},
            "credentials, token: more than one way to log in; keep one",
        ),
        ({**EXTERNAL, "token": "t", "nkey": "a.nk"}, "token, nkey: more than one way to log in; keep one"),
        ({**EXTERNAL, "cert": "c.pem"}, "cert and key: one without the other; give both"),
        ({**EXTERNAL, "ca": "-----BEGIN CERTIFICATE-----"}, "ca: is the text of a file; give the file's path"),
        ({**EXTERNAL, "domain": "a", "apiPrefix": "b"}, "domain and apiPrefix: both name the API; keep one"),
        (
            {**EXTERNAL, "domain": "a.b"},
            "domain: 'a.b' is no JetStream domain; write one word without dots and wildcards",
        ),
        (
            {**EXTERNAL, "apiPrefix": "$JS.hub.API."},
            "apiPrefix: '$JS.hub.API.' is no prefix of subjects; write it like $JS.hub.API, without a last dot",
        ),
        (
            {**EXTERNAL, "url": "nats://a#x"},
            "url: 'nats://a#x' is not the URL of a NATS server; write it like nats://host:4222",
        ),
        (
            {**EXTERNAL, "inboxPrefix": "_INBOX.>"},
            "inboxPrefix: '_INBOX.>' is no subject without wildcards; write it like _INBOX_ann",
        ),
        (
            {**EXTERNAL, "monitorUrl": "a:8222"},
            "monitorUrl: 'a:8222' is not the URL of a server's monitoring; write it like http://host:8222",
        ),
        ({**PROCESS, "domain": "a"}, "domain: does not apply to server: process, only to external; remove it"),
    ],
)  # fmt: skip
def test_mistake(raw: Mapping[str, str], mistake: str) -> None:
    """Each mistake is one line: where, what, what to do."""
    assert _mistakes(raw) == [mistake]


def test_all_mistakes_at_once() -> None:
    """Nobody mends one setting to learn of the next."""
    raw = {"server": "process", "clientPort": "x", "monitorPort": "y", "imgae": "i", "url": "nats://a"}

    assert [line.split(":")[0] for line in _mistakes(raw)] == ["imgae", "clientPort", "monitorPort", "url"]


@pytest.mark.parametrize("url", ["nats://user:s3cret@host:4222", "nats://s3cret@host", "nats://s3cret@host:port"])
def test_secrets_are_not_repeated(url: str) -> None:
    """Credentials in a URL are refused, without printing them."""
    assert "s3cret" not in "\n".join(_mistakes({**EXTERNAL, "url": url}))


@given(st.dictionaries(st.sampled_from([row.key for row in TABLE]) | st.text(), st.text()))
def test_no_text_crashes_it(raw: Mapping[str, str]) -> None:
    """Whatever a configuration holds, the answer is settings or their mistakes."""
    try:
        parse(raw, "dev")
    except SettingsError as error:
        assert str(error)


def test_the_configuration_is_the_running_stack_s() -> None:
    """The keys of our namespace are found in the running stack's configuration, others left alone."""
    project = pulumi.get_project()
    pulumi.runtime.set_all_config({f"{project}:server": "process", "docker:host": "x", f"{project}:clientPort": "5"})
    try:
        assert stack_config.configuration() == {"server": "process", "clientPort": "5"}
    finally:
        pulumi.runtime.set_all_config({})


def test_external_server() -> None:
    """An external server is its URL, and the URL names the data behind it."""
    endpoint = external.launch(parse(EXTERNAL, "dev"), object(), None).endpoint

    assert (endpoint.url, endpoint.store, endpoint.monitor_url) == ("nats://a:4222", "nats://a:4222", None)


@pytest.mark.parametrize("said", [{"domain": "hub"}, {"apiPrefix": "$JS.hub.API"}])
def test_another_api_is_another_place(said: dict[str, str]) -> None:
    """A domain and the same prefix are one place, at each of the servers; the account's own API is none of its own."""
    raw = {**EXTERNAL, "url": "nats://a:4222,nats://b", "monitorUrl": "http://a:8222"}
    endpoint = external.launch(parse({**raw, **said}, "dev"), object(), None).endpoint
    assert endpoint.url == endpoint.store == "nats://a:4222#$JS.hub.API,nats://b#$JS.hub.API"
    assert ("nats://a:4222,nats://b", "$JS.hub.API") == (servers(endpoint.url), api(endpoint.url))
    assert endpoint.monitor_url == "http://a:8222"

    own = external.launch(parse({**raw, "apiPrefix": "$JS.API"}, "dev"), object(), None).endpoint
    assert (own.url, api(own.url)) == (raw["url"], "$JS.API")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "nats://127.0.0.1:4222"),
        ("0.0.0.0", "nats://127.0.0.1:4222"),  # noqa: S104
        ("::", "nats://[::1]:4222"),
    ],
)
def test_local_url(address: str, url: str) -> None:
    """What a server listens on becomes an address a client can connect to."""
    assert local_url("nats", address, 4222) == url


@pytest.mark.parametrize(
    ("raw", "secret", "expected"),
    [
        pytest.param({"password": "x"}, set[str](), ["password"], id="a password in clear"),
        pytest.param({"password": "x"}, {"password"}, [], id="a password as a secret"),
        pytest.param({"token": "x", "password": "y"}, {"password"}, ["token"], id="one of two"),
        pytest.param({"credentials": "/etc/user.creds"}, set[str](), [], id="a path is no secret"),
        pytest.param({"credentials": "-----BEGIN NATS USER JWT-----"}, set[str](), ["credentials"], id="a .creds text"),
        pytest.param({"nkey": f"SU{'A' * 56}"}, set[str](), ["nkey"], id="a seed in clear"),
        pytest.param({"nkey": f"SU{'A' * 56}"}, {"nkey"}, [], id="a seed as a secret"),
        pytest.param({"nkey": "/etc/SUPPORT/ann.nk"}, set[str](), [], id="the path of a seed"),
    ],
)
def test_a_login_in_clear_is_refused(raw: dict[str, str], secret: set[str], expected: list[str]) -> None:
    """It would stand in the settings file and in Pulumi's state for everybody to read."""
    lines = []
    try:
        require_secret(raw, secret, "dev")
    except SettingsError as error:
        lines = str(error).splitlines()
    assert [
        f"settings of stack dev: {key}: is in clear; encrypt it: pulumi config set --secret {key}" for key in expected
    ] == lines


@pytest.mark.parametrize(
    ("text", "expected"), [("always", "always"), ("2m", "120000ms"), ("1d", "86400000ms"), ("100ms", "100ms")]
)
def test_the_sync_interval_in_the_server_s_units(text: str, expected: str) -> None:
    """Go's durations have no days."""
    assert parse({"server": "process", "syncInterval": text}, "dev").sync_interval == expected


@pytest.mark.parametrize("text", ["never", "0", "10us", "2"])
def test_a_wrong_sync_interval(text: str) -> None:
    """Neither always nor a duration that the server can keep."""
    with pytest.raises(SettingsError, match=f"syncInterval: '{text}' is neither always nor a duration"):
        parse({"server": "process", "syncInterval": text}, "dev")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("memory", "63MiB", "'63MiB' is not a limit of whole MiB, and at least 64; write a size like 2GiB"),
        ("memory", "100000000", "'100000000' is not a limit of whole MiB, and at least 64; write a size like 2GiB"),
        ("cpus", "0.00", "'0.00' is not a number of CPUs; write one like 1.5"),
        ("cpus", "all", "'all' is not a number of CPUs; write one like 1.5"),
        ("pids", "63", "'63' is not a number from 64 to 4194304"),
        ("pids", "-1", "'-1' is not a number from 64 to 4194304"),
    ],
)
def test_limits_of_a_container_that_are_none(key: str, value: str, said: str) -> None:
    """The docker plugin takes whole MiB, and would see a change in any other spelling of the CPUs."""
    assert _mistakes({"server": "docker", key: value}) == [f"{key}: {said}"]


def test_the_nodes_of_a_cluster_of_containers_find_each_other_in_its_network() -> None:
    """They need no port of this machine for it, and so collide with none."""
    found = parse({"server": "docker", "nodes": "3", "clientPort": "6220"}, "dev")
    assert found.client_ports == (6220, 6221, 6222)
    assert _mistakes({"server": "docker", "nodes": "3", "clientPort": "8220"}) == [
        "monitorPort: 8222 is in clientPort as well; each needs a port of its own"
    ]
