"""TLS on a real server: what is trusted, what is shown, and one clear line for whatever is wrong with either."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provisioner.cli.main import main
from provisioner.errors import LoginRefused, Unreachable
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.connection import Connection
from provisioner.jetstream.target import Credentials
from tests.support.certificates import Authority, Pair, authority, encrypted, server_block
from tests.support.nats_server import NatsServer, running
from tests.support.waiting import until

TIMEOUT_S = 2.0


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of the servers."""
    return authority(tmp_path_factory.mktemp("certificates") / "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another one."""
    return authority(tmp_path_factory.mktemp("certificates") / "theirs")


@pytest.fixture(scope="module")
def good(ours: Authority) -> Pair:
    """A server's certificate."""
    return ours.sign("server")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, good: Pair) -> Iterator[NatsServer]:
    """A server that speaks TLS alone."""
    with running(tmp_path_factory.mktemp("nats"), server_block(good)) as started:
        yield started


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, ours: Authority, good: Pair) -> Iterator[NatsServer]:
    """One that asks clients for a certificate of its CA."""
    block = server_block(good, f'ca_file: "{ours.ca}", verify: true')
    with running(tmp_path_factory.mktemp("nats"), block) as started:
        yield started


def credentials(**files: Path) -> Credentials:
    """TLS and nothing else."""
    return Credentials(**{name: str(path) for name, path in files.items()})


def refusal(url: str, **files: Path) -> str:
    """The one line that says what is wrong, without the URL."""
    with pytest.raises(LoginRefused) as refused:
        Connection(url, credentials(**files), TIMEOUT_S)
    assert "\n" not in str(refused.value)
    return str(refused.value).removeprefix(f"{url}: ")


def works(url: str, **files: Path) -> bool:
    """Whether JetStream answers."""
    with closing(JetStream(url, credentials(**files), TIMEOUT_S)) as client:
        return bool(0 == client.account()["streams"])


@pytest.mark.parametrize("scheme", ["nats", "tls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_ca_of_its_own(server: NatsServer, ours: Authority, scheme: str, host: str) -> None:
    """With it the server is trusted, by its address and its name."""
    assert works(f"{scheme}://{host}:{server.ports[0]}", ca=ours.ca)


def test_an_unknown_ca(server: NatsServer, theirs: Authority) -> None:
    """Neither the machine's nor another's."""
    expected = "the CA of the server's certificate is not trusted; give ca a file that has it"
    assert expected == refusal(server.url)
    assert expected == refusal(server.url, ca=theirs.ca)


def test_an_expired_certificate(tmp_path: Path, ours: Authority) -> None:
    """It is the server's to renew."""
    with running(tmp_path, server_block(ours.sign("old", days=-1))) as old:
        assert "the server's certificate has expired; renew it on the server" == refusal(old.url, ca=ours.ca)


def test_another_host_name(tmp_path: Path, ours: Authority) -> None:
    """The url says another name than the certificate."""
    with running(tmp_path, server_block(ours.sign("elsewhere", names="DNS:nats.example.com"))) as other:
        here = f"nats://localhost:{other.ports[0]}"
        end = "use one of its names in url"
        assert f"the server's certificate is for another host name; {end}" == refusal(here, ca=ours.ca)
        assert f"the server's certificate is not for this IP address; {end}" == refusal(other.url, ca=ours.ca)


def test_a_client_certificate(strict: NatsServer, ours: Authority, theirs: Authority) -> None:
    """The server takes one of its CA that is valid, and says what is wrong with others."""
    cert, key = ours.sign("client")
    assert works(strict.url, ca=ours.ca, cert=cert, key=key)
    assert "the server wants a client certificate; set cert and key" == refusal(strict.url, ca=ours.ca)
    cert, key = theirs.sign("client")
    assert "the server does not trust the CA of the client certificate" in refusal(
        strict.url, ca=ours.ca, cert=cert, key=key
    )
    cert, key = ours.sign("old", days=-1)
    assert "the client certificate has expired; renew cert" == refusal(strict.url, ca=ours.ca, cert=cert, key=key)


def test_files_that_cannot_be_used(ours: Authority, good: Pair, tmp_path: Path) -> None:
    """Nobody is asked, no passphrase either, and no key is repeated."""
    nobody, other, nothing = "nats://127.0.0.1:9", ours.sign("other"), tmp_path / "none.pem"
    assert f"ca: there is no file {nothing}; give the path of a PEM file" == refusal(nobody, ca=nothing)
    assert f"ca: {__file__}: is not in PEM" == refusal(nobody, ca=Path(__file__))
    assert "cert and key: one without the other; give both" == refusal(nobody, cert=good.cert)
    assert "the key is not that of the certificate" in refusal(nobody, cert=good.cert, key=other.key)
    assert "is not in PEM" in refusal(nobody, cert=good.key, key=good.cert)
    assert "the key has a passphrase; give one without" in refusal(nobody, cert=good.cert, key=encrypted(good.key))
    text = good.key.read_text()
    shown = refusal(nobody, cert=good.cert, key=Path(text))
    assert "cert and key: is the text of a file; give the file's path" == shown
    assert text not in repr(credentials(key=Path(text)))


@pytest.mark.parametrize("with_ca", [True, False])
def test_nothing_is_sent_in_clear(tmp_path: Path, ours: Authority, *, with_ca: bool) -> None:
    """Where TLS is wanted, a server that does not offer it gets no login: somebody may be between."""
    with running(tmp_path, 'authorization { token: "s3cret" }') as plain:
        url = plain.url if with_ca else plain.url.replace("nats:", "tls:")
        login = Credentials(token="s3cret", ca=str(ours.ca) if with_ca else None)
        with pytest.raises(LoginRefused, match="the server does not speak TLS there; write the url with nats://"):
            Connection(url, login, TIMEOUT_S)


def test_who_is_trusted_is_no_demand(server: NatsServer, tmp_path: Path, ours: Authority, theirs: Authority) -> None:
    """What a run has learned of its own server is used where that speaks TLS, as one that changes may or may not."""
    trusting = Credentials(trusted=ours.ca.read_text())
    with running(tmp_path) as plain:
        for url, login, accepted in (
            (plain.url, trusting, True),
            (server.url, trusting, True),
            (server.url, Credentials(trusted=theirs.ca.read_text()), False),
            (plain.url.replace("nats:", "tls:"), trusting, False),
        ):
            if accepted:
                Connection(url, login, TIMEOUT_S).close()
            else:
                with pytest.raises(LoginRefused):
                    Connection(url, login, TIMEOUT_S)


def test_a_server_that_leaves_the_choice(tmp_path: Path, ours: Authority, theirs: Authority, good: Pair) -> None:
    """TLS where it is wanted, and nowhere else."""
    with running(tmp_path, f"{server_block(good)}allow_non_tls: true") as either:
        assert works(either.url)
        assert works(either.url, ca=ours.ca)
        assert "is not trusted" in refusal(either.url, ca=theirs.ca)


def test_tls_before_the_greeting(tmp_path: Path, ours: Authority, good: Pair) -> None:
    """A server that begins TLS by itself is not supported, and says nothing; one that waits a moment is."""
    with running(tmp_path / "auto", server_block(good, "handshake_first: auto")) as either:
        assert works(either.url, ca=ours.ca)
    with (
        running(tmp_path / "first", server_block(good, "handshake_first: true")) as first,
        pytest.raises(Unreachable, match="no NATS server answers within 1 s"),
    ):
        Connection(first.url, credentials(ca=ours.ca), 1.0)


def test_several_servers(server: NatsServer, tmp_path: Path, ours: Authority) -> None:
    """One that is down and one that is not trusted are no reason to refuse the third; without it they are."""
    with running(tmp_path, server_block(ours.sign("old", days=-1))) as old:
        bad = f"nats://127.0.0.1:9,{old.url}"
        for urls in (f"{bad},{server.url}", f"{old.url},{server.url}", f"{server.url},{bad}"):
            assert works(urls, ca=ours.ca)
        assert "the server's certificate has expired; renew it on the server" == refusal(bad, ca=ours.ca)


def test_a_cluster_of_strangers(server: NatsServer, tmp_path: Path, good: Pair, theirs: Authority) -> None:
    """When each has been refused there is nothing to wait for."""
    with running(tmp_path, server_block(good)) as another:
        urls, began = f"{server.url},{another.url}", time.monotonic()
        with pytest.raises(LoginRefused, match="is not trusted"):
            Connection(urls, credentials(ca=theirs.ca), 30.0)
        assert time.monotonic() - began < 15


def test_a_certificate_that_changes_meanwhile(tmp_path: Path, ours: Authority, theirs: Authority) -> None:
    """A server that comes back with another CA's certificate is not trusted again: the next request says so."""
    before, after = server_block(ours.sign("server")), server_block(theirs.sign("server"))
    with (
        running(tmp_path, before) as changing,
        closing(JetStream(changing.url, credentials(ca=ours.ca), TIMEOUT_S)) as client,
    ):
        assert 0 == client.account()["streams"]
        restart(changing, after)
        with pytest.raises(LoginRefused, match="the CA of the server's certificate is not trusted"):
            client.request("INFO", timeout=1.0)
        restart(changing, before)
        until("it is trusted again", lambda: client.connection._client.is_connected, 10)  # noqa: SLF001
        assert 0 == client.account()["streams"]


def test_a_reload_while_connected(tmp_path: Path, ours: Authority, theirs: Authority) -> None:
    """A certificate that is reloaded is shown to new connections alone."""
    config = {name: server_block(each.sign("server")) for name, each in (("ours", ours), ("theirs", theirs))}
    with (
        running(tmp_path, config["ours"]) as server,
        closing(JetStream(server.url, credentials(ca=ours.ca), TIMEOUT_S)) as client,
    ):
        file = tmp_path / "nats.conf"
        file.write_text(file.read_text().replace(config["ours"], config["theirs"]))
        assert server.process
        server.process.send_signal(signal.SIGHUP)
        until("it is reloaded", lambda: "Reloaded server configuration" in (tmp_path / "nats.log").read_text(), 10)
        assert 0 == client.account()["streams"]
        assert "is not trusted" in refusal(server.url, ca=ours.ca)
        assert works(server.url, ca=theirs.ca)


def restart(server: NatsServer, config: str) -> None:
    """Let the server come back with another configuration."""
    server.kill()
    server.extra = config
    server.start()


def test_the_commands(
    strict: NatsServer, ours: Authority, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`streams` takes the files from the variables of the nats command."""
    cert, key = ours.sign("operator")
    monkeypatch.setenv("NATS_URL", strict.url)
    monkeypatch.setenv("NATS_CA", str(ours.ca))
    assert 1 == main(["contents"])
    assert f"{strict.url}: the server wants a client certificate; set cert and key\n" == capsys.readouterr().err
    monkeypatch.setenv("NATS_CERT", str(cert))
    monkeypatch.setenv("NATS_KEY", str(key))
    assert 0 == main(["contents"])
    assert "no streams" in capsys.readouterr().out
