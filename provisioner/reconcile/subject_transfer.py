"""Carrying out moves of subjects between our streams, step by step (``plan.subject_transfer``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from provisioner.errors import STREAM_NOT_FOUND, ApiError, ProvisionerError
from provisioner.log import tell
from provisioner.plan.subject_transfer import Acquire, Release, Step, Subjects, exchanging, plan_transfer
from provisioner.reconcile.context import Context
from provisioner.rules.normalise import captured
from provisioner.schema.model import StreamConfig, StreamInfo, StreamSpec

# Sends the wanted configuration of one stream, which is as it is now or not there.
Send = Callable[[StreamSpec, StreamInfo | None], StreamInfo]

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Transfer:
    """The streams of ours that exchange subjects with one of them, directly or through others.

    Attributes:
        held: what each of them captures now.
        specs: what each of them is to be; one that Pulumi deletes, or replaces, only releases.
    """

    held: Mapping[str, Subjects]
    specs: Mapping[str, StreamSpec]

    def __bool__(self) -> bool:
        return len(self.held.keys() | self.specs.keys()) > 1

    def steps(self, first: str) -> tuple[Step, ...]:
        """What to do, in order."""
        return plan_transfer(first, self.held, {name: _captured(spec.config) for name, spec in self.specs.items()})


def transfer_around(context: Context, spec: StreamSpec, needs_new_stream: Callable[[StreamSpec], bool]) -> Transfer:
    """The transfer a stream takes part in, by what the server holds; false where it exchanges nothing."""
    infos, run = context.server.streams(), context.run
    held = {name: _captured(info.config) for name, info in infos.items() if run.gives_up(name, info)}
    specs = {name: other for name, other in (run.specs or {}).items() if name in held or name not in infos}
    specs[spec.name] = spec
    group = exchanging(spec.name, held, {name: _captured(other.config) for name, other in specs.items()})
    acquiring = [name for name in specs if name in group and (name == spec.name or not needs_new_stream(specs[name]))]
    return Transfer(
        {name: subjects for name, subjects in held.items() if name in group},
        {name: specs[name] for name in acquiring},
    )


def carry_out(context: Context, first: str, transfer: Transfer, send: Send) -> StreamInfo:
    """Run the steps of a transfer; the answer for the first stream.

    A failure at the first stream gives the others their subjects back. One at another stream is
    said and left: that stream's own turn in this run tries again, and so does the next run.

    Raises:
        ProvisionerError: the first stream's configuration is refused.
    """
    released: list[StreamInfo] = []
    answer: StreamInfo | None = None
    for step in transfer.steps(first):
        _LOG.debug("transfer for %s: %s", first, step)
        match step:
            case Release(name, subjects):
                released += _release(context, name, subjects)
            case Acquire(name) if name == first:
                answer = _acquire_or_give_back(context, transfer.specs[name], send, released)
            case Acquire(name):
                _acquire_for_another(context, transfer.specs[name], first, send)
    assert answer, "the plan of a transfer has a step for its first stream"  # noqa: S101 - an invariant of plan_transfer
    return answer


def _release(context: Context, name: str, subjects: Subjects) -> Iterator[StreamInfo]:
    info = context.server.current(name)
    if info and tuple(info.config["subjects"]) != subjects:
        yield info
        _update_if_there(context, {**info.config, "subjects": list(subjects)})


def _update_if_there(context: Context, config: StreamConfig) -> None:
    """Send a configuration; a stream that Pulumi has deleted meanwhile, to replace it, captures nothing any more."""
    try:
        info = context.client().update(config)
    except ApiError as error:
        if error.code != STREAM_NOT_FOUND:
            raise
        info = None
    context.server.remember(str(config["name"]), info)


def _acquire_or_give_back(context: Context, spec: StreamSpec, send: Send, released: list[StreamInfo]) -> StreamInfo:
    try:
        return send(spec, context.server.current(spec.name))
    except ProvisionerError:
        for info in reversed(released):
            _update_if_there(context, info.config)
        raise


def _acquire_for_another(context: Context, spec: StreamSpec, first: str, send: Send) -> None:
    try:
        send(spec, context.server.current(spec.name))
    except ProvisionerError as error:
        tell(f"{spec.name}: subjects that moved together with {first} are still without a stream: {error}")


def _captured(config: StreamConfig) -> Subjects:
    return tuple(captured(config))
