"""A stack on somebody else's server, without Pulumi: the provider's calls in the order of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.order import in_order
from provisioner.catalogue.reader import parse
from provisioner.errors import CatalogueError
from provisioner.providers import consumer_properties, properties
from provisioner.providers.buckets import SEED, KeyValueProvider, ObjectStoreProvider
from provisioner.providers.consumer import ConsumerProvider
from provisioner.providers.errors import JetStreamError
from provisioner.providers.estate import EstateProvider
from provisioner.providers.store_properties import in_words
from provisioner.providers.stream import StreamProvider
from provisioner.reconcile.context import close_all
from provisioner.schema.consumer_model import ConsumerSpec
from provisioner.schema.model import OnDelete, StreamSpec
from provisioner.schema.stores import BUCKETS, kind_of
from tests.support.nats_server import NatsServer

Props = dict[str, Any]
_KINDS: Final = {"": StreamProvider, "buckets": KeyValueProvider, "objects": ObjectStoreProvider}


@dataclass
class Stack:
    """What Pulumi's state has of it.

    Attributes:
        server: where it is.
        on_delete: the stack's policy.
        state: of each resource its provider and its outputs, in the order of their creation.
    """

    server: NatsServer
    on_delete: OnDelete = OnDelete.GUARD
    state: dict[str, tuple[Any, Props]] = field(default_factory=dict)

    def preview(self, text: str) -> dict[str, str]:
        """What becomes of each resource: create, update, replace or delete; or the problems, under the empty name."""
        try:
            catalogue = parse(text, "streams.yaml")
        except CatalogueError as error:
            return {"": str(error)}
        self._refresh()
        wanted = self._wanted(catalogue)
        if problems := self._problems(catalogue, wanted):
            return {"": "\n".join(problems)}
        planned = {label: self._planned(label, provider, inputs) for label, (provider, inputs) in wanted.items()}
        planned |= dict.fromkeys(self.state.keys() - wanted.keys(), "delete")
        return {label: effect for label, effect in planned.items() if effect}

    def up(self, text: str) -> dict[str, str]:
        """Carry the plan out, if it has no problem; what it was."""
        planned = self.preview(text)
        if "" in planned:
            return planned
        wanted = self._wanted(parse(text, "streams.yaml"))
        try:
            for label, (provider, inputs) in wanted.items():
                self._carry_out(label, provider, inputs, planned.get(label))
            for label in [each for each in reversed(self.state) if each not in wanted]:
                provider, outs = self.state[label]
                provider.delete(label, outs)
                del self.state[label]
        except JetStreamError as error:
            return {"": str(error)}
        return planned

    def _refresh(self) -> None:
        close_all()
        for label, (provider, outs) in self.state.items():
            self.state[label] = provider, provider.read(label, outs).outs

    def _problems(self, catalogue: Catalogue, wanted: dict[str, tuple[Any, Props]]) -> list[str]:
        url = {"url": self.server.url, "monitor_url": self.server.monitor_url, "store": self.server.url}
        estate = {**url, "owns_server": False, "removed_with_server": False}
        streams = [properties.inputs(spec, self.on_delete) for spec in catalogue.streams]
        program = {
            "streams": streams,
            "consumers": [consumer_properties.inputs(each, self.on_delete) for each in catalogue.consumers],
            "policies": {each["name"]: each["on_delete"] for each in streams},
        }
        left = {
            label: outs["on_delete"] for label, (provider, outs) in self.state.items() if not _is_consumer(provider)
        }
        checked = EstateProvider().check({**estate, "policies": left} if left else {}, {**estate, **program})
        problems = [failure.reason for failure in checked.failures]
        for label, (provider, inputs) in wanted.items():
            olds = self.state[label][1] if label in self.state else {}
            problems += [each.reason for each in provider.check(olds, inputs).failures]
        return [*dict.fromkeys(problems)]

    def _wanted(self, catalogue: Catalogue) -> dict[str, tuple[Any, Props]]:
        """Streams, buckets and object stores, each after those it needs, then consumers."""
        resources = {spec.name: self._of_stream(spec) for spec in in_order(catalogue.streams)}
        return resources | {spec.label: self._of_consumer(spec) for spec in catalogue.consumers}

    def _of_stream(self, spec: StreamSpec) -> tuple[Any, Props]:
        kind = kind_of(spec.name)
        props = {**properties.inputs(spec, self.on_delete), **self._where}
        if kind:
            props = in_words(kind, props) | ({SEED: dict(spec.seed)} if kind is BUCKETS and spec.seed else {})
        return _KINDS[kind.key if kind else ""](), props

    def _of_consumer(self, spec: ConsumerSpec) -> tuple[Any, Props]:
        return ConsumerProvider(), {**consumer_properties.inputs(spec, self.on_delete), **self._where}

    @property
    def _where(self) -> Props:
        return {"url": self.server.url, "monitor_url": self.server.monitor_url}

    def _planned(self, label: str, provider: Any, inputs: Props) -> str:
        if label not in self.state:
            return "create"
        diff = provider.diff(label, self.state[label][1], inputs)
        return "replace" if diff.replaces else "update" if diff.changes else ""

    def _carry_out(self, label: str, provider: Any, inputs: Props, effect: str | None) -> None:
        if effect == "update":
            self.state[label] = provider, provider.update(label, self.state[label][1], inputs).outs
        elif effect:
            if effect == "replace":
                provider.delete(label, self.state[label][1])
            self.state[label] = provider, provider.create(inputs).outs


def _is_consumer(provider: Any) -> bool:
    return isinstance(provider, ConsumerProvider)
