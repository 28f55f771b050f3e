"""What a run would run into with its consumers: those that are wanted, and those that leave the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provisioner.reconcile.consumers import consumer_preflight, deletion_problem
from provisioner.reconcile.context import Context
from provisioner.reconcile.verdict import Verdict
from provisioner.schema.consumer_model import ConsumerInfo, ConsumerSpec, by_stream
from provisioner.schema.model import OnDelete, StreamInfo, StreamSpec


def consumers_preflight(
    target: Context,
    infos: Mapping[str, StreamInfo],
    streams: Mapping[str, StreamSpec],
    wanted: Sequence[ConsumerSpec],
) -> Iterator[Verdict]:
    """The preflight of each consumer, told with its stream's name and its own.

    Args:
        target: the server and the run.
        infos: the streams that are there.
        streams: the streams of the program.
        wanted: its consumers.
    """
    staying, leaving = by_stream(wanted), by_stream(_leaving(target, streams, wanted))
    for name in (name for name in streams if name in staying or name in leaving):
        stream, ours, going = streams[name], staying.get(name, []), leaving.get(name, [])
        concerned = [spec.name for spec in (*ours, *going)]
        present = target.server.consumers.seen(name, concerned) if name in infos else {}
        verdicts = [(spec, consumer_preflight(target, spec, present, stream.config)) for spec in ours]
        verdicts += [(spec, _departure(spec, present.get(spec.name))) for spec in going]
        yield from (_named(spec, verdict) for spec, verdict in verdicts)


def _leaving(target: Context, streams: Mapping[str, StreamSpec], wanted: Sequence[ConsumerSpec]) -> list[ConsumerSpec]:
    """Consumers of the state that the program no longer has, on streams that it still has."""
    labels = {spec.label for spec in wanted}
    state = target.run.consumers_in_state
    return [spec for label, spec in state.items() if label not in labels and spec.stream in streams]


def _departure(spec: ConsumerSpec, live: ConsumerInfo | None) -> Verdict:
    problem = deletion_problem(spec, live) if live else None
    if live and spec.on_delete is OnDelete.RETAIN:
        return Verdict(notes=(f"{spec.label} leaves the catalogue and stays on the server",))
    return Verdict((problem,)) if problem else Verdict()


def _named(spec: ConsumerSpec, verdict: Verdict) -> Verdict:
    told = (each if each.startswith(spec.label) else f"{spec.label}: {each}" for each in verdict.problems)
    return Verdict(tuple(told), verdict.notes)
