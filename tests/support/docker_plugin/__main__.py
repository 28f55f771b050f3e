# ruff: noqa: ARG002, N802 - the names and arguments are the protocol's
"""The stand-in as a process: a gRPC server that says on standard output which port it listens on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from importlib.metadata import version
from typing import Any

import docker
import grpc
from docker.errors import APIError, DockerException
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from grpc import ServicerContext as Context
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc, status_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from tests.support.docker_plugin import schema
from tests.support.docker_plugin.engine import Container, HalfMadeError, Network, RemoteImage, Volume

ENGINE_TIMEOUT = 60  # seconds for one answer of the Docker engine
VERBS = {
    "docker:index/network:Network": Network,
    "docker:index/volume:Volume": Volume,
    "docker:index/remoteImage:RemoteImage": RemoteImage,
    "docker:index/container:Container": Container,
}
Message = Any  # whichever request or response a handler is for
Handler = Callable[[Any, Message, Context], Message]


def one_line(handler: Handler) -> Handler:
    """Answer failures with their text instead of a traceback; what was half made goes into the state."""

    @wraps(handler)
    def guarded(self: Docker, request: Message, context: Context) -> Message:
        try:
            return handler(self, request, context)
        except HalfMadeError as error:
            context.set_trailing_metadata((("grpc-status-details-bin", _half_made(self, request, error)),))
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except APIError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"Error response from daemon: {error.explanation}")
        except (DockerException, NotImplementedError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return guarded


class Docker(provider_pb2_grpc.ResourceProviderServicer):
    """Pulumi's resource provider protocol over `schema` (what to do) and `engine` (doing it)."""

    def __init__(self) -> None:
        """Start without an engine: Configure finds it."""
        self.verbs: dict[str, Any] = {}

    def GetPluginInfo(self, request: Empty, context: Context) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=version("pulumi-docker"))

    def CheckConfig(self, request: pb.CheckRequest, context: Context) -> pb.CheckResponse:
        return pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: pb.DiffRequest, context: Context) -> pb.DiffResponse:
        return pb.DiffResponse()

    def Configure(self, request: pb.ConfigureRequest, context: Context) -> pb.ConfigureResponse:
        try:
            api = docker.from_env(timeout=ENGINE_TIMEOUT).api
        except DockerException:
            context.abort(grpc.StatusCode.UNKNOWN, "failed to connect to any docker daemon")
        self.verbs = {kind: verbs(api) for kind, verbs in VERBS.items()}
        return pb.ConfigureResponse(supportsPreview=True)

    def Check(self, request: pb.CheckRequest, context: Context) -> pb.CheckResponse:
        return pb.CheckResponse(inputs=_struct(schema.check(request.type, _plain(request.news))))

    def Diff(self, request: pb.DiffRequest, context: Context) -> pb.DiffResponse:
        verdict = schema.diff(request.type, _plain(request.olds), _plain(request.news))
        detailed = {path: {"kind": kind} for path, kind in verdict["detailedDiff"].items()}
        answer = pb.DiffResponse()
        ParseDict({**verdict, "detailedDiff": detailed, "hasDetailedDiff": True}, answer)
        return answer

    @one_line
    def Create(self, request: pb.CreateRequest, context: Context) -> pb.CreateResponse:
        inputs = _plain(request.properties)
        if request.preview:
            unknown = dict.fromkeys(schema.SCHEMAS[request.type].computed, schema.UNKNOWN)
            return pb.CreateResponse(properties=_struct(unknown | inputs))
        made = self.verbs[request.type].create(inputs)
        return pb.CreateResponse(id=made, properties=_struct(self.read(request.type, made, inputs)))

    @one_line
    def Read(self, request: pb.ReadRequest, context: Context) -> pb.ReadResponse:
        inputs, found = (
            _plain(request.inputs),
            self.read(request.type, request.id, _plain(request.properties)),
        )
        if not found:
            return pb.ReadResponse()
        seen = {key: value if schema.same(value, found.get(key)) else found.get(key) for key, value in inputs.items()}
        return pb.ReadResponse(id=request.id, properties=_struct(found), inputs=_struct(seen))

    @one_line
    def Update(self, request: pb.UpdateRequest, context: Context) -> pb.UpdateResponse:
        wanted = _plain(request.olds) | _plain(request.news)
        if not request.preview:
            self.verbs[request.type].update(request.id, wanted)
            wanted = self.read(request.type, request.id, wanted)
        return pb.UpdateResponse(properties=_struct(wanted))

    @one_line
    def Delete(self, request: pb.DeleteRequest, context: Context) -> Empty:
        known = _plain(request.properties)
        if self.read(request.type, request.id, known):
            self.verbs[request.type].delete(request.id, known)
        return Empty()

    def Cancel(self, request: Empty, context: Context) -> Empty:
        return Empty()

    def read(self, kind: str, resource_id: str, known: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs, brought up to date; empty for a resource that is gone."""
        return self.verbs[kind].read(resource_id, known) or {}


def _half_made(servicer: Docker, request: Message, error: HalfMadeError) -> bytes:
    """Return the status by which the engine keeps the resource, and the reason, in the state."""
    outputs = servicer.read(request.type, error.resource_id, _plain(request.properties))
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(
        pb.ErrorResourceInitFailed(
            id=error.resource_id, properties=_struct(outputs), inputs=request.properties, reasons=[str(error)]
        )
    )
    return bytes(status.SerializeToString())


def _plain(struct: Struct) -> dict[str, Any]:
    """Return a message as Python data, whole numbers as integers."""
    return {key: _whole(value) for key, value in MessageToDict(struct).items()}


def _whole(value: schema.Json) -> schema.Json:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _struct(props: dict[str, Any]) -> Struct:
    return ParseDict(props, Struct())


def serve() -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Docker(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    serve()
