"""What a run would run into with its consumers: those that are wanted, and those that leave the program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provisioner.reconcile.consumers import arriving_preflight, consumer_preflight, deletion_problem
from provisioner.reconcile.context import Context
from provisioner.reconcile.program import Program
from provisioner.reconcile.renaming import predecessor
from provisioner.reconcile.verdict import Verdict
from provisioner.schema.consumer_model import ConsumerInfo, ConsumerSpec, by_stream
from provisioner.schema.model import OnDelete, StreamConfig, StreamInfo


def consumers_preflight(target: Context, infos: Mapping[str, StreamInfo], program: Program) -> Iterator[Verdict]:
    """The preflight of each consumer, told with its stream's name and its own.

    Args:
        target: the server and the run.
        infos: the streams that are there.
        program: what the program wants there.
    """
    staying, leaving = by_stream(program.consumers), by_stream(_leaving(target, program))
    for name in dict.fromkeys((*staying, *leaving)):
        stream, ours, going = _stream(name, infos, program), staying.get(name, []), leaving.get(name, [])
        if stream is None:
            absent = () if program.may_have(name) else ours
            yield from (Verdict((f"{spec.label}: there is no stream {name}",)) for spec in absent)
            continue
        if name in program.specs and (old := predecessor(target, program.specs[name], infos.get(name))):
            yield from arriving_consumers(target, str(old.config["name"]), name, program)
        concerned = [spec.name for spec in (*ours, *going)]
        present = target.server.consumers.seen(name, concerned) if name in infos else {}
        verdicts = [(spec, consumer_preflight(target, spec, present, stream)) for spec in ours]
        verdicts += [(spec, _departure(spec, present.get(spec.name))) for spec in going]
        yield from (_named(spec, verdict) for spec, verdict in verdicts)


def arriving_consumers(source: Context, origin: str, name: str, program: Program) -> Iterator[Verdict]:
    """What the changes of consumers mean that come along with their stream.

    Args:
        source: the server that has the stream, and the run.
        origin: what it is called there.
        name: what it is to be called.
        program: what the program wants.
    """
    ours = by_stream(program.consumers).get(name, [])
    present = source.server.consumers.seen(origin, [spec.name for spec in ours]) if ours else {}
    for spec in ours:
        if live := present.get(spec.name):
            yield _named(spec, arriving_preflight(source, spec, live, program.specs[name].config, origin))


def _stream(name: str, infos: Mapping[str, StreamInfo], program: Program) -> StreamConfig | None:
    """A stream of the program as it is wanted, another as it is."""
    if name in program.specs:
        return program.specs[name].config
    return infos[name].config if name in infos else None


def _leaving(target: Context, program: Program) -> list[ConsumerSpec]:
    """Consumers of the state that the program no longer has, on streams that stay."""
    labels = {spec.label for spec in program.consumers}
    run = target.run
    gone = [spec for label, spec in run.consumers_in_state.items() if not (label in labels or program.may_have(label))]
    return [spec for spec in gone if program.may_have(spec.stream) or not run.has_in_state(spec.stream)]


def _departure(spec: ConsumerSpec, live: ConsumerInfo | None) -> Verdict:
    problem = deletion_problem(spec, live) if live else None
    if live and spec.on_delete is OnDelete.RETAIN:
        return Verdict(notes=(f"{spec.label} leaves the catalogue and stays on the server",))
    return Verdict((problem,)) if problem else Verdict()


def _named(spec: ConsumerSpec, verdict: Verdict) -> Verdict:
    told = (each if each.startswith(spec.label) else f"{spec.label}: {each}" for each in verdict.problems)
    return Verdict(tuple(told), verdict.notes)
