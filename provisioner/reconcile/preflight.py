"""What a plan would run into on its server, found without touching anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from provisioner.plan.diff import Effect, Plan, plan
from provisioner.plan.policies import adoption_note, adoption_problem, ownership_problem
from provisioner.reconcile.apply import contents
from provisioner.reconcile.loss_approval import allowances, loss_of, refusals
from provisioner.reconcile.session import Session
from provisioner.rules.problem import Problem
from provisioner.rules.server_limits import consumer_problems, surrounding_problems
from provisioner.rules.stream_config import create_problems
from provisioner.schema.model import OnDelete, StreamConfig, StreamInfo, StreamSpec


@dataclass(frozen=True)
class Preflight:
    """What ``up`` would run into, and what the user should know before it."""

    problems: list[str]
    notes: list[str] = field(default_factory=list)


def preflight(session: Session, spec: StreamSpec, live: StreamInfo | None, *, ours: bool) -> Preflight:
    """Everything that carrying out the plan would run into, found without touching anything.

    Raises:
        Unreachable, Refused: the server cannot be asked.
    """
    if live is None:
        around = _around(session, spec.config, None)
        return Preflight([*map(str, create_problems(spec.config)), *map(str, around)])
    if foreign := ownership_problem(spec, live):
        return Preflight([foreign])
    adopting = None if ours else adoption_problem(spec, live)
    if adopting:
        return Preflight([adopting])
    planned = plan(live.config, spec.config)
    taken_over = [] if ours else [adoption_note(spec, live)]
    if planned.effect is Effect.NOTHING:
        return Preflight([], taken_over)
    loss = loss_of(session, spec, live, planned)
    return Preflight(
        [
            *map(str, planned.problems),
            *map(str, _surrounding_obstacles(session, spec.config, live, planned)),
            *_replacement_problems(spec, live, planned.replaces),
            *refusals(spec.name, loss),
        ],
        [*taken_over, *allowances(spec.name, loss)],
    )


def _replacement_problems(spec: StreamSpec, live: StreamInfo, fields: list[str]) -> list[str]:
    """A replacement deletes, so the policy on deleting decides whether there can be one."""
    if not fields:
        return []
    what = f"{', '.join(fields)} cannot change in place, and on_delete is {spec.on_delete}"
    if spec.on_delete is OnDelete.RETAIN:
        return [f"{what}: the stream there would be in the way of the new one"]
    if spec.on_delete is OnDelete.GUARD and (live.messages or live.consumers):
        return [f"{what}: {contents(live)}"]
    return []


def _surrounding_obstacles(session: Session, config: StreamConfig, live: StreamInfo, planned: Plan) -> list[Problem]:
    found = _around(session, config, live.config)
    if live.consumers and any(change.field == "consumer_limits" for change in planned.changes):
        found += consumer_problems(live.config, config, session.client().consumers(config["name"]))
    return found


def _around(session: Session, config: StreamConfig, replacing: StreamConfig | None) -> list[Problem]:
    """The server's reasons, by what it holds now; only where there are some, by what this run leaves it with."""
    facts = session.facts(config["name"])
    if not surrounding_problems(config, facts, replacing):
        return []
    return surrounding_problems(config, session.facts_after(facts), replacing)
