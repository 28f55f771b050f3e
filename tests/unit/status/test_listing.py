"""What is asked of the API, and what becomes of silence, one row a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from provisioner.errors import ApiError, InvalidAnswer, ProvisionerError, Refused, Unreachable
from provisioner.jetstream.target import Target
from provisioner.status import listing
from provisioner.status.listing import Listing, ask

WANTED = ["ORDERS", "AUDIT"]
NO_LEADER = ApiError(10008, "unavailable")
SILENCE = Unreachable("no answer")
ACCOUNT = {"streams": 1}
Told = Mapping[str, Any] | ProvisionerError


def body(name: str, *, leader: str = "") -> dict[str, Any]:
    """An answer to INFO, or an entry of LIST."""
    return {"config": {"name": name}, "created": "2026-01-01T00:00:00Z", "cluster": {"name": "C", "leader": leader}}


class FakeJetStream:
    """A server with these answers, by what is asked.

    Args:
        told: to INFO, to STREAM.INFO of each name; anything else is silence.
        listed: the entries of its list, or why there is none.
        missing: the names that the list has nothing about.
        cluster: the name of its cluster.
    """

    def __init__(
        self,
        told: Mapping[str, Told],
        listed: list[dict[str, Any]] | ProvisionerError = SILENCE,
        missing: tuple[str, ...] = (),
        cluster: str = "C",
    ) -> None:
        self._told, self._listed, self._missing = told, listed, missing
        self.cluster = cluster
        self.connection = SimpleNamespace(is_encrypted=False)

    def account(self) -> Any:
        """The answer to INFO."""
        return self.request("INFO")

    def request(self, subject: str, timeout: float = 1.0) -> Any:
        """The answer to a request."""
        assert timeout > 0
        answer = self._told.get(subject, SILENCE)
        if isinstance(answer, ProvisionerError):
            raise answer
        return answer

    def pages(self, _subject: str, _entries: str, missing: list[str]) -> Iterator[dict[str, Any]]:
        """The list."""
        if isinstance(self._listed, ProvisionerError):
            raise self._listed
        missing += self._missing
        yield from self._listed

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask a fake server; silence lasts until the clock has been looked at fifty times, whatever the machine does."""
    clock = SimpleNamespace(monotonic=partial(next, count()))
    monkeypatch.setattr(listing, "time", clock)
    monkeypatch.setattr(listing, "REQUEST_TIMEOUT_S", 50.0)

    def ask_it(server: FakeJetStream) -> Listing:
        monkeypatch.setattr(listing, "JetStream", lambda *_: server)
        return ask(Target("nats://host:4222", ""), WANTED)

    return ask_it


def names(found: Listing) -> list[str]:
    """The streams that are known."""
    return sorted(found.streams or ())


def test_a_list(asked: Any) -> None:
    """One request for all; where those of the catalogue are comes with it."""
    found = asked(FakeJetStream({"INFO": ACCOUNT}, [body("ORDERS", leader="n1"), body("OTHER")]))
    assert (ACCOUNT, ["ORDERS", "OTHER"]) == (found.account, names(found))
    assert {"ORDERS": "n1"} == {name: place.leader for name, place in found.placements.items()}


@pytest.mark.parametrize(
    ("answer", "known", "silence"),
    [
        (body("AUDIT", leader="n1"), ["AUDIT", "ORDERS"], None),
        (body("AUDIT"), ["AUDIT", "ORDERS"], None),
        (ApiError(10059, "stream not found"), ["ORDERS"], None),
        (SILENCE, ["ORDERS"], "does not answer"),
        (ApiError(10118, "stream is offline"), ["ORDERS"], "stream is offline (10118)"),
        (Refused("may not"), ["ORDERS"], "may not"),
    ],
)
def test_a_stream_missing_from_a_list(asked: Any, answer: Told, known: list[str], silence: str | None) -> None:
    """It is asked for alone, and silent only if it does not answer then either."""
    told = {"INFO": ACCOUNT, "STREAM.INFO.AUDIT": answer}
    found = asked(FakeJetStream(told, [body("ORDERS")], missing=("AUDIT",)))
    assert known == names(found)
    assert bool(silence) == ("AUDIT" in found.silent)
    assert (silence or "") in str(found.silent.get("AUDIT", ""))


@pytest.mark.parametrize("error", [NO_LEADER, SILENCE])
@pytest.mark.parametrize("account", [True, False])
def test_a_cluster_without_a_leader(asked: Any, error: ProvisionerError, *, account: bool) -> None:
    """Each stream of the catalogue may still answer for itself."""
    told = {"INFO": ACCOUNT if account else error, "STREAM.INFO.ORDERS": body("ORDERS", leader="n0")}
    found = asked(FakeJetStream(told, error))
    assert (error, ["ORDERS"], ["AUDIT"]) == (found.account, names(found), list(found.silent))


@pytest.mark.parametrize(("account", "consumed"), [(ACCOUNT, ["ORDERS"]), (NO_LEADER, [])])
def test_consumers_without_a_leader(account: Told, consumed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not asked for: each would be as long a wait as the first, and as vain."""
    asked_for = list[str]()

    def recorded(_client: object, name: str) -> dict[str, Any]:
        asked_for.append(name)
        return {}

    server = FakeJetStream({"INFO": account, "STREAM.INFO.ORDERS": body("ORDERS")}, [body("ORDERS")])
    monkeypatch.setattr(listing, "JetStream", lambda *_: server)
    monkeypatch.setattr(listing, "consumers_listed", recorded)
    ask(Target("nats://host:4222", ""), ["ORDERS"], ["ORDERS"])
    assert consumed == asked_for


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        (FakeJetStream({}, cluster=""), Unreachable),
        (FakeJetStream({"INFO": ApiError(10039, "off")}), ApiError),
        (FakeJetStream({"INFO": Refused("may not")}), Refused),
        (FakeJetStream({"INFO": ACCOUNT}, [{"config": 1}]), InvalidAnswer),
    ],
)
def test_nothing_is_known(asked: Any, server: FakeJetStream, kind: type[ProvisionerError]) -> None:
    """A single server that is silent, a refusal, and an answer of something else."""
    found = asked(server)
    assert (kind, None) == (type(found.account), found.streams)


def test_no_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not asked is not said to be silent."""
    monkeypatch.setattr(listing, "REQUEST_TIMEOUT_S", -1.0)
    server = FakeJetStream({"INFO": NO_LEADER})
    monkeypatch.setattr(listing, "JetStream", lambda *_: server)
    found = ask(Target("nats://host:4222", ""), WANTED)
    assert [ProvisionerError] * 2 == [type(error) for error in found.silent.values()]
