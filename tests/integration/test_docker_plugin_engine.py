"""The stand-in makes, watches and removes real things on a real Docker engine, over Pulumi's own protocol."""

from __future__ import annotations

import os
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import docker
import grpc
import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import status_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from infra.servers.docker_engine import engine_answers
from tests.support.docker_plugin import NAME, install
from tests.support.nats_image import ensure_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker
TYPES = {name: f"docker:index/{name[0].lower()}{name[1:]}:{name}" for name in ("Network", "Volume", "Container")}
CONFIG = "/etc/nats/test.conf"


class Plugin:
    """Talks to the plugin as the Pulumi engine does, and removes what it made."""

    def __init__(self, stub: ResourceProviderStub) -> None:
        """Configure the plugin."""
        self.stub = stub
        self.made: list[tuple[str, str, Struct]] = []
        stub.Configure(pb.ConfigureRequest())

    def create(self, name: str, /, **inputs: object) -> tuple[str, Struct, Struct]:
        """Check and create; returns the id, the checked inputs and the outputs."""
        checked = self.stub.Check(pb.CheckRequest(type=TYPES[name], news=ParseDict(inputs, Struct()))).inputs
        answer = self.stub.Create(pb.CreateRequest(type=TYPES[name], properties=checked))
        self.made.append((name, answer.id, answer.properties))
        return answer.id, checked, answer.properties

    def drift(self, resource: tuple[str, Struct, Struct], name: str = "Container") -> dict[str, Any] | None:
        """Read and diff as a refreshing preview does; None when the resource is gone."""
        resource_id, inputs, outputs = resource
        seen = self.stub.Read(pb.ReadRequest(type=TYPES[name], id=resource_id, properties=outputs, inputs=inputs))
        if not seen.id:
            return None
        diff = self.stub.Diff(pb.DiffRequest(type=TYPES[name], id=resource_id, olds=seen.properties, news=inputs))
        return {"diffs": list(diff.diffs), "replaces": list(diff.replaces)}

    def clean_up(self) -> None:
        """Delete in the reverse order of creation; what is gone already is no error."""
        for name, resource_id, outputs in reversed(self.made):
            self.stub.Delete(pb.DeleteRequest(type=TYPES[name], id=resource_id, properties=outputs))


@pytest.fixture
def api() -> Iterator[docker.APIClient]:
    """Another client of the same engine: the hand that causes drift."""
    if not engine_answers():
        (pytest.fail if os.environ.get("REQUIRE_ENGINES") else pytest.skip)("no Docker engine answers")
    client = docker.from_env()
    yield client.api
    client.close()


@pytest.fixture
def plugin(api: docker.APIClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:  # noqa: ARG001 - no engine, no plugin
    """Return the stand-in, installed and launched as the Pulumi engine launches it."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "nothing-here"))
    install(tmp_path)
    (launcher,) = tmp_path.glob(f"plugins/resource-docker-v*/{NAME}")
    with subprocess.Popen([launcher, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            client = Plugin(ResourceProviderStub(channel))
            try:
                yield client
            finally:
                client.clean_up()
                process.terminate()


def nats(plugin: Plugin, **changes: object) -> tuple[str, Struct, Struct]:
    """Create a network, a volume and a NATS container with a name of its own, on free ports."""
    name = f"docker-plugin-test-{uuid.uuid4().hex[:8]}"
    plugin.create("Network", name=name)
    plugin.create("Volume", name=name)
    inputs: dict[str, object] = {
        "name": name,
        "image": ensure_image(),
        "command": ["--config", CONFIG],
        "uploads": [{"file": CONFIG, "content": 'http: "0.0.0.0:8222"\njetstream { store_dir: /data }\n'}],
        "volumes": [{"volumeName": name, "containerPath": "/data"}],
        "networksAdvanced": [{"name": name, "aliases": ["nats"]}],
        "labels": [{"label": "app", "value": "test"}],
        "restart": "unless-stopped",
        "healthcheck": {
            "tests": ["CMD-SHELL", "wget -qO- http://127.0.0.1:8222/healthz"],
            "interval": "1s",
            "timeout": "3s",
        },
        "wait": True,
        "waitTimeout": 30,
    }
    return plugin.create("Container", **inputs | changes)


def test_what_was_made_shows_no_difference(plugin: Plugin, api: docker.APIClient) -> None:
    """A healthy container with everything our stack uses: no perpetual difference."""
    container = nats(plugin)

    state = api.inspect_container(container[0])
    assert (state["State"]["Running"], state["State"]["Health"]["Status"]) == (True, "healthy")
    assert plugin.drift(container) == {"diffs": [], "replaces": []}


def test_a_stopped_container_is_replaced(plugin: Plugin, api: docker.APIClient) -> None:
    """A stop is seen, and means a replacement."""
    container = nats(plugin)
    api.stop(container[0])

    drift = plugin.drift(container)

    assert drift is not None
    assert "mustRun" in drift["diffs"]


def test_a_removed_container_is_gone(plugin: Plugin, api: docker.APIClient) -> None:
    """A container removed by hand is not there, instead of being an error."""
    container = nats(plugin)
    api.remove_container(container[0], force=True)

    assert plugin.drift(container) is None


def test_a_restart_policy_is_put_back(plugin: Plugin, api: docker.APIClient) -> None:
    """A changed restart policy is an update, and the update is real."""
    container = resource_id, inputs, outputs = nats(plugin)
    api.update_container(resource_id, restart_policy={"Name": "no"})

    assert plugin.drift(container) == {"diffs": ["restart"], "replaces": []}
    plugin.stub.Update(pb.UpdateRequest(type=TYPES["Container"], id=resource_id, olds=outputs, news=inputs))
    assert plugin.drift(container) == {"diffs": [], "replaces": []}


def test_a_duration_in_another_spelling_differs_for_ever(plugin: Plugin) -> None:
    """`60s` for `1m0s` is a perpetual difference with the real plugin, so it must be one here."""
    check = {"tests": ["CMD-SHELL", "true"], "interval": "1s", "startPeriod": "60s"}

    assert plugin.drift(nats(plugin, healthcheck=check)) == {"diffs": ["healthcheck"], "replaces": []}


def test_a_container_that_never_gets_healthy_is_kept_with_its_reason(plugin: Plugin, api: docker.APIClient) -> None:
    """The engine learns the id and the reason, so that the next run can replace the container."""
    check = {"tests": ["CMD-SHELL", "false"], "interval": "1s", "retries": 1}

    with pytest.raises(grpc.RpcError) as raised:
        nats(plugin, healthcheck=check, waitTimeout=2)

    (detail,) = _status(raised.value).details
    failure = pb.ErrorResourceInitFailed()
    detail.Unpack(failure)
    api.remove_container(failure.id, force=True)
    assert list(failure.reasons) == ["container failed to be in healthy state"]
    assert failure.id == MessageToDict(failure.properties)["id"]


def test_a_preview_creates_nothing(plugin: Plugin, api: docker.APIClient) -> None:
    """A previewed create leaves the engine alone, and what the engine would fill in unknown."""
    inputs = ParseDict({"name": "docker-plugin-test-preview"}, Struct())

    plugin.stub.Create(pb.CreateRequest(type=TYPES["Volume"], properties=inputs, preview=True))

    assert api.volumes({"name": "docker-plugin-test-preview"})["Volumes"] == []


def _status(error: grpc.RpcError) -> Any:
    metadata = dict(error.trailing_metadata())
    return status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
