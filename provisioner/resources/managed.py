"""What streams, buckets, object stores and consumers have in common as Pulumi resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import Resource

from provisioner.providers.provider import Provider
from provisioner.providers.stream import IMPORTED
from provisioner.resources.errors import ArgumentError
from provisioner.resources.options import resource_options
from provisioner.resources.server import Server
from provisioner.resources.statement import statement
from provisioner.resources.values import said
from provisioner.resources.wording import Wording
from provisioner.schema.model import OnDelete


class Managed(Resource):
    """A resource on a ``Server``.

    Attributes:
        wording: the words it is said in.
        provider: who makes it.
        placed_on: the server that it is on.
        label: what it is called there; None where that is an output.
    """

    wording: ClassVar[Wording]
    provider: ClassVar[type[Provider]]
    placed_on: Server
    label: str | None

    def __init__(
        self,
        resource_name: str,
        arguments: Mapping[str, Any],
        server: Server,
        opts: pulumi.ResourceOptions | None,
        outputs: tuple[str, ...] = (),
    ) -> None:
        """Register it with Pulumi, behind the gate of its server.

        Args:
            resource_name: its name in Pulumi's state.
            arguments: its words; None for what is not said.
            server: the server that it is on.
            opts: Pulumi's options.
            outputs: what it has once it is made.
        """
        opts = opts or pulumi.ResourceOptions()
        stated = server.on_delete if arguments["on_delete"] is None else arguments["on_delete"]
        policy = OnDelete.RETAIN if opts.retain_on_delete else stated
        what = f"{type(self).__name__} {resource_name}"
        made = statement(what, self.wording, said({**arguments, "on_delete": policy}))
        self.placed_on, self.label = server, made.label
        on_server = server.properties()
        declared = made.declared(on_server.get("owner"), as_said=not opts.ignore_changes)
        options = resource_options(what, made.name, opts)
        before = pulumi.ResourceOptions(depends_on=server.enter(declared))
        props = {**dict.fromkeys(outputs), **made.properties(), **on_server}
        props |= {IMPORTED: opts.import_} if opts.import_ else {}
        super().__init__(self.provider(), resource_name, props, pulumi.ResourceOptions.merge(options, before))


class OnStream(Managed):
    """A resource of a stream, made after it and deleted with it."""

    def __init__(
        self,
        resource_name: str,
        arguments: Mapping[str, Any],
        server: Server | None,
        opts: pulumi.ResourceOptions | None,
        outputs: tuple[str, ...] = (),
    ) -> None:
        """As of a ``Managed``; its stream says which server, unless it is not the program's.

        Raises:
            ArgumentError: nobody says which server.
        """
        stream = arguments["stream"]
        if isinstance(stream, Managed):
            server, named = server or stream.placed_on, stream.label or getattr(stream, stream.wording.identity)
            with_it = pulumi.ResourceOptions(depends_on=[stream], deleted_with=stream)
            arguments, opts = {**arguments, "stream": named}, pulumi.ResourceOptions.merge(with_it, opts)
        if server is None:
            whose = f"{type(self).__name__} {resource_name}"
            raise ArgumentError(f"{whose}: server: is missing; a stream that is not the program's needs it")
        super().__init__(resource_name, arguments, server, opts, outputs)
