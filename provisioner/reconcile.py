"""Bringing one stream from what it is to what is wanted, and what stands in the way.

Nothing here knows Pulumi: the adapter in ``stream`` calls it, and so could anything else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from provisioner import errors
from provisioner.errors import ApiError, Conflict
from provisioner.losses import Loss, forecast
from provisioner.model import Config, Live, StreamSpec
from provisioner.normalise import normalise
from provisioner.planning import Effect, Plan, differences, plan
from provisioner.session import Session, StreamCounter
from provisioner.surroundings import consumer_problems, surrounding_problems
from provisioner.validity import Problem, create_problems

# The environment variable that names the streams which may lose messages in one run.
ALLOW_LOSS: Final = "STREAMS_ALLOW_LOSS"

_HINTS: Final = {
    errors.JETSTREAM_OFF: "switch JetStream on in the server's configuration",
    errors.JETSTREAM_OFF_FOR_ACCOUNT: "switch JetStream on for this account",
    errors.NO_STORAGE: "lower max_bytes or give the server more storage",
    errors.NO_MEMORY: "lower max_bytes or give the server more memory",
    errors.NO_RESOURCES: "lower max_bytes or give the account more storage",
    errors.MAX_BYTES_REQUIRED: "set max_bytes",
    errors.NO_META_LEADER: "the cluster has no leader: wait for it, or start more of its servers",
    errors.NO_PEERS: "fewer num_replicas, or another placement",
    errors.STREAM_OFFLINE: "the stream needs a newer server than the one that holds it",
    errors.MAX_STREAMS: "raise the account's limit on streams",
    errors.UNKNOWN_FIELD: "this server is older than the field: leave it out or upgrade",
}


@dataclass(frozen=True)
class Outlook:
    """What ``up`` would run into, and what the user should know before it."""

    problems: list[str]
    notes: list[str] = field(default_factory=list)


def outlook(session: Session, spec: StreamSpec, live: Live | None, *, ours: bool) -> Outlook:
    """Everything that carrying out the plan would run into, found without touching anything.

    Raises:
        Unreachable, Refused: the server cannot be asked.
    """
    if live is None:
        around = surrounding_problems(spec.config, session.facts(spec.name))
        return Outlook([*map(str, create_problems(spec.config)), *map(str, around)])
    adopting = None if ours else adoption_problem(spec, live)
    if adopting:
        return Outlook([adopting])
    planned = plan(live.config, spec.config)
    taken_over = [] if ours else [adoption_note(spec, live)]
    if planned.effect is Effect.NOTHING:
        return Outlook([], taken_over)
    loss = _loss(session, spec, live, planned)
    allowed = [f"{spec.name}: {loss}; {ALLOW_LOSS} allows it"] if loss and _may_lose(spec.name) else []
    return Outlook(
        [
            *map(str, planned.problems),
            *map(str, _surrounding_obstacles(session, spec.config, live, planned)),
            *(map(str, _replacement_problems(spec, live, planned.replaces))),
            *_loss_problems(spec.name, loss),
        ],
        [*taken_over, *allowed],
    )


def adoption_problem(spec: StreamSpec, live: Live) -> str | None:
    """Why a stream that is there already, and is not ours, may not be taken over."""
    if spec.adopt == "never":
        return f"{_presence(live)}, and adopt is never; delete the stream, or set adopt: equal"
    planned = plan(live.config, spec.config)
    if planned.effect is Effect.NOTHING or (spec.adopt == "always" and planned.effect is Effect.UPDATE):
        return None
    listed = ", ".join(map(str, [*planned.changes, *planned.problems]))
    return (
        f"{_presence(live)} with other settings ({listed}); make the catalogue say what is there, "
        f"delete the stream{'' if planned.effect > Effect.UPDATE else ', or set adopt: always'}"
    )


def adoption_note(spec: StreamSpec, live: Live) -> str:
    """What taking over a stream means, for the plan."""
    changes = ", ".join(map(str, differences(live.config, spec.config)))
    return f"{spec.name} {_presence(live)}: taken over {'with ' + changes if changes else 'as it is'}"


def create(session: Session, spec: StreamSpec) -> Live:
    """Make a stream, or take over the one that is there, as ``adopt`` says.

    Raises:
        Conflict: a stream of that name may not be taken over.
        ApiError: the server refuses, with its reason and what to do.
    """
    live = session.fresh(spec.name)
    if live is None:
        return _create(session, spec)
    if problem := adoption_problem(spec, live):
        raise Conflict(f"{spec.name} {problem}")
    return _update(session, spec, live)


def ensure(session: Session, spec: StreamSpec) -> Live:
    """Bring a stream of ours to its configuration: created if it is gone, untouched if it is right.

    Raises:
        Conflict: it has changed since the plan in a way that needs a new stream.
        ApiError: the server refuses, with its reason and what to do.
    """
    live = session.fresh(spec.name)
    return _create(session, spec) if live is None else _update(session, spec, live)


def delete(session: Session, name: str, on_delete: str) -> None:
    """Delete a stream as the policy says; one that is gone already is no error.

    Raises:
        Conflict: the policy is guard, and the stream holds messages or has consumers; or a
            replacement would lose messages that have come since its plan.
    """
    if on_delete == "retain":
        return
    live = session.fresh(name)
    if live and live.messages and name in session.replacing and not _may_lose(name):
        raise Conflict(f"{name} holds {live.messages:,} messages that a replacement would lose; {_permission(name)}")
    if live and on_delete == "guard" and (live.messages or live.consumers):
        raise Conflict(_contents(live))
    session.client().delete(name)
    session.remember(name, None)


def _create(session: Session, spec: StreamSpec) -> Live:
    try:
        live = session.client().create(spec.config)
    except ApiError as error:
        raise _explained(session, spec.config, error) from error
    session.remember(spec.name, live)
    return live


def _update(session: Session, spec: StreamSpec, live: Live) -> Live:
    planned = plan(live.config, spec.config)
    if planned.effect is Effect.NOTHING:
        return live
    if planned.effect is not Effect.UPDATE:
        raise Conflict(f"{spec.name} {_why_not(planned)}; run pulumi up again for a new plan")
    if refused := _loss_problems(spec.name, _loss(session, spec, live, planned)):
        raise Conflict("; ".join(refused))
    try:
        updated = session.client().update(normalise(spec.config))
    except ApiError as error:
        raise _explained(session, spec.config, error) from error
    session.remember(spec.name, updated)
    return updated


def _why_not(planned: Plan) -> str:
    reasons = ", ".join(map(str, planned.problems)) or f"needs a new stream for {', '.join(planned.replaces)}"
    return f"has changed since the plan: {reasons}"


def _loss(session: Session, spec: StreamSpec, live: Live, planned: Plan) -> Loss:
    return forecast(live, spec.config, planned, StreamCounter(session.client(), spec.name))


def _loss_problems(name: str, loss: Loss) -> list[str]:
    return [f"{name}: {loss}; {_permission(name)}"] if loss and not _may_lose(name) else []


def _may_lose(name: str) -> bool:
    return name in (word.strip() for word in os.environ.get(ALLOW_LOSS, "").split(","))


def _permission(name: str) -> str:
    return f"to allow it for one run: {ALLOW_LOSS}={name} pulumi up"


def _replacement_problems(spec: StreamSpec, live: Live, fields: list[str]) -> list[Problem]:
    """A replacement deletes, so the policy on deleting decides whether there can be one."""
    if not fields:
        return []
    what = f"cannot change in place, and on_delete is {spec.on_delete}"
    if spec.on_delete == "retain":
        return [Problem(", ".join(fields), f"{what}: the stream there would be in the way of the new one")]
    if spec.on_delete == "guard" and (live.messages or live.consumers):
        return [Problem(", ".join(fields), f"{what}: {_contents(live)}")]
    return []


def _contents(live: Live) -> str:
    return (
        f"{live.config['name']} holds {live.messages:,} messages and has {live.consumers} consumers; "
        "set on_delete: delete to delete it all the same, or retain to leave it"
    )


def _surrounding_obstacles(session: Session, config: Config, live: Live, planned: Plan) -> list[Problem]:
    found = surrounding_problems(config, session.facts(config["name"]), live.config)
    if live.consumers and any(change.field == "consumer_limits" for change in planned.changes):
        found += consumer_problems(live.config, config, session.client().consumers(config["name"]))
    return found


def _explained(session: Session, config: Config, error: ApiError) -> ApiError:
    """The server's refusal, with the details its words leave out."""
    session.forget()
    problems = surrounding_problems(config, session.facts(config["name"]))
    details = "; ".join(map(str, problems)) or _HINTS.get(error.code, "")
    explained = f"{config['name']}: {error.description}" + (f": {details}" if details else "")
    return ApiError(error.code, explained)


def _presence(live: Live) -> str:
    return f"is there already (created {live.created[:19]}Z, {live.messages:,} messages)"
