"""What an engine has under the stack's name decides a run before it begins."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.servers.checkout import ID_FILE, mark
from infra.servers.orphans import Orphans
from provisioner.docker_engine.api import Engine
from provisioner.docker_engine.holdings import DockerPlace, holdings
from provisioner.errors import Conflict, ProvisionerError
from provisioner.reconcile.docker_stack import (
    PAUSED,
    RUNNING,
    container_status,
    docker_preflight,
    require_own_volumes,
    resume,
)
from tests.support.docker_api import NAME, container, docker_api, labels, volume

CONTAINER = f"/containers/{NAME}/json"
VOLUME = f"/volumes/{NAME}"
NETWORK = f"/networks/{NAME}"
OURS = ["ours"]


@pytest.fixture
def place(tmp_path: Path) -> DockerPlace:
    """A stack's place on an engine that listens at a file of the test's."""
    return DockerPlace(name=NAME, host=f"unix://{tmp_path}/docker.sock", address="127.0.0.1", ports=())


@contextmanager
def _engine(place: DockerPlace, answers: Mapping[str, Any]) -> Iterator[list[str]]:
    with docker_api(Path(str(place.host).removeprefix("unix://")), answers) as requests:
        yield requests


def test_what_is_ours_or_not_there_is_no_problem(place: DockerPlace) -> None:
    """Our own mark passes, and so does an empty engine, and one that cannot be asked."""
    for answers in ({}, {CONTAINER: container("ours"), VOLUME: volume("ours")}):
        with _engine(place, answers):
            verdict, owners = docker_preflight(place, OURS, inherits=False)
        assert ((), OURS) == (verdict.problems, owners)
    far = DockerPlace(name=NAME, host="ssh://somewhere", address="127.0.0.1", ports=(1,))
    assert () == docker_preflight(far, OURS, inherits=False)[0].problems


def test_strangers_are_named_in_one_line(place: DockerPlace) -> None:
    """Whose they are, and the three ways out."""
    answers = {
        CONTAINER: container(None),
        NETWORK: {"Id": "fedcba9876543210", "Labels": labels("other", "/there")},
        VOLUME: volume("other", "/there"),
    }
    with _engine(place, answers):
        verdict, owners = docker_preflight(place, OURS, inherits=False)
    assert OURS == owners
    (problem,) = verdict.problems
    assert problem == (
        f"server docker: the name {NAME} is taken by container 0123456789ab (image nats:2), network fedcba987654 and "
        "a volume of 2026-01-02T03:04:05, which the checkout /there made, not this stack; give this stack another "
        f"name, or remove what is there (docker rm --force {NAME}; docker network rm {NAME}; docker volume rm {NAME}), "
        f"or take it over on purpose: STREAMS_TAKE_OVER={NAME} pulumi up"
    )


def test_a_state_of_before_the_marks_keeps_what_it_has(place: DockerPlace) -> None:
    """Things without a mark are its own, from then on; marked ones of others are not."""
    with _engine(place, {VOLUME: volume(None), NETWORK: {"Id": "1", "Labels": {}}}):
        assert ((), ["ours", ""]) == _problems(place, inherits=True)
    with _engine(place, {VOLUME: volume("other")}):
        assert _problems(place, inherits=True)[0]


def test_what_is_taken_over_on_purpose_stays_taken_over(place: DockerPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name in the variable is the approval, for that name; the state remembers whose it was."""
    with _engine(place, {VOLUME: volume("other")}):
        monkeypatch.setenv("STREAMS_TAKE_OVER", "another-name")
        assert _problems(place)[0]
        monkeypatch.setenv("STREAMS_TAKE_OVER", f"another-name, {NAME}")
        assert ((), ["ours", "other"]) == _problems(place)


def _problems(place: DockerPlace, *, inherits: bool = False) -> tuple[tuple[str, ...], list[str]]:
    verdict, owners = docker_preflight(place, OURS, inherits=inherits)
    return verdict.problems, owners


def test_ports_that_something_else_has(place: DockerPlace) -> None:
    """Another container by the engine's word, anything else of this machine by trying; never our own container."""
    with socket.create_server(("127.0.0.1", 0)) as busy, socket.create_server(("127.0.0.1", 0)) as own:
        mine, other = own.getsockname()[1], busy.getsockname()[1]
        there = DockerPlace(name=NAME, host=place.host, address="127.0.0.1", ports=(mine, other, 65000))
        published = [
            {"Id": "0123456789abcdef", "Names": [f"/{NAME}"], "Ports": [_port(mine, "127.0.0.1")]},
            {"Id": "f", "Names": ["/else"], "Ports": [_port(65000, "0.0.0.0"), _port(65000, "::")]},  # noqa: S104
        ]
        answers = {CONTAINER: container("ours", ports={4222: mine}), "/containers/json": published}
        with _engine(place, answers):
            verdict, _owners = docker_preflight(there, OURS, inherits=False)
    assert verdict.problems == (
        f"port {other} of 127.0.0.1 is in use; stop what listens there or choose another port",
        "port 65000 of 127.0.0.1 is in use by container else; stop it or choose another port",
    )


def _port(port: int, address: str) -> dict[str, Any]:
    return {"IP": address, "PrivatePort": 4222, "PublicPort": port, "Type": "tcp"}


def test_a_paused_container_of_ours_goes_on(place: DockerPlace) -> None:
    """It is told as drift, and only our own is touched."""
    for owner, expected in (("ours", ["POST /containers/0123456789abcdef/unpause"]), ("other", [])):
        paused = container(owner, Paused=True)
        with _engine(place, {CONTAINER: paused, "/containers/0123456789abcdef/unpause": {}}) as requests:
            assert container_status(place) == PAUSED
            resume(place, OURS)
        assert expected == [request for request in requests if request.startswith("POST")]
    with _engine(place, {CONTAINER: container("ours")}):
        assert container_status(place) == RUNNING


def test_a_volume_of_another_checkout_is_never_let_go(place: DockerPlace) -> None:
    """One line: whose it is, and how to forget it; our own may go, and what a killed run has left on it first."""
    with _engine(place, {VOLUME: volume("other", "/there")}), pytest.raises(Conflict) as refused:
        require_own_volumes(place, OURS)
    assert str(refused.value) == (
        f"volume {NAME} is one which the checkout /there made, not this stack; it stays. If this stack has nothing "
        "else to take down, forget it: pulumi stack rm --force"
    )
    for answers, left in (({VOLUME: volume("ours")}, [f"DELETE /containers/{NAME}-owner?force=1"]), ({}, [])):
        with _engine(place, answers) as requests:
            require_own_volumes(place, OURS)
        assert left == [request for request in requests if not request.startswith("GET")]


def test_orphans_make_way(place: DockerPlace) -> None:
    """A container is stopped, then removed; a network only after it; what is gone already is no error."""
    answers = {CONTAINER: container("ours"), NETWORK: {"Id": "1234", "Labels": labels("ours")}}
    with _engine(place, answers) as requests:
        orphans = Orphans.under(place)
        assert "0123456789abcdef" == orphans.serving()
        orphans.clear_network()
    assert [request for request in requests if not request.startswith("GET")] == [
        "POST /containers/0123456789abcdef/stop?t=10",
        "DELETE /containers/0123456789abcdef?force=1",
        "DELETE /networks/1234",
    ]


def test_an_engine_that_refuses_says_why(tmp_path: Path) -> None:
    """A change that fails is one line; so is an engine that is gone."""
    with pytest.raises(ProvisionerError, match="does not answer"):
        Engine(f"unix://{tmp_path}/nothing").change("POST", "/x")
    nowhere = DockerPlace(name=NAME, address="127.0.0.1", ports=())
    assert [] == holdings(Engine(f"unix://{tmp_path}/nothing"), nowhere)


def test_a_checkout_is_known_by_its_file_and_its_folder(tmp_path: Path) -> None:
    """The mark is the same in every up, another in a clone, a copy and another stack; a preview writes nothing."""
    first, clone = tmp_path / "first", tmp_path / "clone"
    first.mkdir()
    clone.mkdir()
    assert mark(first, "dev", remember=False) != mark(first, "dev", remember=False)
    assert [] == [*first.iterdir()]
    ours = mark(first, "dev", remember=True)
    assert ours == mark(first, "dev", remember=False)
    (clone / ID_FILE).write_text((first / ID_FILE).read_text())
    assert 4 == len(
        {ours, mark(first, "b", remember=True), mark(clone, "dev", remember=True), mark(tmp_path, "dev", remember=True)}
    )
    assert mark(tmp_path / "missing", "dev", remember=True)
