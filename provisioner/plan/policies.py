"""Which streams are ours to change: taking over one that is there already, and the owner's mark.

The mark names the stack a stream belongs to in its metadata, where the catalogue asks for it. It is
off by default: a service that creates the same stream without the mark would be refused by the
server, which compares metadata too.
"""

from __future__ import annotations

from provisioner.plan.diff import Effect, differences, plan
from provisioner.plan.held import held
from provisioner.rules import reopen_mark
from provisioner.rules.normalise import captured
from provisioner.rules.restore_mark import partial_problem
from provisioner.rules.subjects import released
from provisioner.schema.model import OWNER, Adopt, StreamConfig, StreamInfo, StreamSpec


def adoption_problem(spec: StreamSpec, info: StreamInfo) -> str | None:
    """Why a stream that is there already, and is not ours, may not be taken over."""
    if problem := partial_problem(info):
        return problem
    if spec.adopt is Adopt.NEVER:
        return f"{_presence(info)}, and adopt is never; delete the stream, or set adopt: equal"
    planned = plan(info.config, spec.config)
    if planned.effect is Effect.NOTHING or (spec.adopt is Adopt.ALWAYS and planned.effect is Effect.UPDATE):
        return None
    listed = ", ".join(map(str, [*planned.changes, *planned.problems]))
    return (
        f"{_presence(info)} with other settings ({listed}); make the catalogue say what is there, "
        f"delete the stream{'' if planned.effect > Effect.UPDATE else ', or set adopt: always'}"
    )


def adoption_note(spec: StreamSpec, info: StreamInfo, *, made_again: bool = False) -> str:
    """What taking over a stream means, for the plan.

    Args:
        spec: the stream as it is wanted.
        info: the stream that is there.
        made_again: whether the state has one of this name, created at another moment.
    """
    changes = ", ".join(map(str, differences(info.config, spec.config)))
    presence = _new_presence(info) if made_again else _presence(info)
    return f"{spec.name} {presence}: taken over {'with ' + changes if changes else 'as it is'}"


def foreign_change_note(spec: StreamSpec, info: StreamInfo, last_set: StreamConfig) -> str:
    """What somebody else has changed since the last up set a stream of ours; empty where nobody has.

    What already is as it is wanted, and subjects half-way from the ones to the others, can be this stack's own doing:
    an up that was killed did not come to write it down.
    """
    if reopen_mark.mark_of(info.config):
        return ""
    wanted = {change.field for change in differences(info.config, spec.config)}
    moving = set(info.config["subjects"]) <= _own_subjects(spec, last_set)
    changes = [
        change
        for change in differences(last_set, info.config)
        if change.field in wanted and not (moving and change.field in {"subjects", "sources"})
    ]
    listed = ", ".join(str(change).replace(" ", ": ", 1) for change in changes)
    who = "was changed by somebody else since our last up"
    return f"{spec.name} {who} ({listed}), or by a run of ours that was cut short" if changes else ""


def _own_subjects(spec: StreamSpec, last_set: StreamConfig) -> set[str]:
    """The subjects that a run of this stack may leave a stream with if it is killed."""
    released_only = {released(spec.name)}
    old, new = captured(last_set), captured(spec.config)
    return released_only if old == new else {*released_only, *old, *new}


def _presence(info: StreamInfo) -> str:
    return f"already exists (created {info.created[:19]}Z, {held(info)})"


def _new_presence(info: StreamInfo) -> str:
    return f"is not the stream of the last up: restored, or made again, at {info.created[:19]}Z with {held(info)}"


def marked(spec: StreamSpec, config: StreamConfig) -> StreamConfig:
    """A configuration as it is sent for a stream."""
    if not (spec.mark_owner and spec.owner):
        return config
    return {**config, "metadata": {**config["metadata"], OWNER: spec.owner}}


def unmarked(config: StreamConfig) -> StreamConfig:
    """The same without any mark."""
    return {**config, "metadata": {key: text for key, text in config["metadata"].items() if key != OWNER}}


def ownership_problem(spec: StreamSpec, info: StreamInfo) -> str | None:
    """Another stack's mark is always in the way, and so is that of a restore that is not complete."""
    if problem := partial_problem(info):
        return f"{spec.name} {problem}"
    owner = info.config["metadata"].get(OWNER)
    if owner is None or owner == spec.owner:
        return None
    return f"{spec.name} belongs to stack {owner}; take it out of one of the two catalogues"
