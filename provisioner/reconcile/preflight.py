"""What a plan would run into on its server, found without touching anything."""

from __future__ import annotations

import logging
from typing import Final

from provisioner.plan.diff import Effect, Plan, plan
from provisioner.plan.policies import adoption_note, adoption_problem, foreign_change_note, ownership_problem
from provisioner.reconcile.carry_preflight import carry_preflight, half_carried_preflight
from provisioner.reconcile.context import Context
from provisioner.reconcile.deletion import contents, is_guarded
from provisioner.reconcile.loss_approval import approval_of, loss_of
from provisioner.reconcile.objects import with_objects
from provisioner.reconcile.permitted import missing_permissions
from provisioner.reconcile.renaming import note_successor, plan_renaming, predecessor, renaming_problems
from provisioner.reconcile.unopened import missing_notes, note_reopened
from provisioner.reconcile.verdict import Verdict, together
from provisioner.rules.feedback import feedback_problems
from provisioner.rules.problem import Problem
from provisioner.rules.server_limits import consumer_problems, surrounding_problems
from provisioner.rules.stream_config import create_problems
from provisioner.schema.model import OnDelete, StreamConfig, StreamInfo, StreamSpec

_LOG: Final = logging.getLogger(__name__)


def preflight(context: Context, spec: StreamSpec, info: StreamInfo | None) -> Verdict:
    """Everything that carrying out the plan would run into, found without touching anything.

    Raises:
        Unreachable, Refused: the server cannot be asked.
    """
    result = half_carried_preflight(context, spec, info) or together(
        check(context, spec, info) for check in (_of_stream, missing_permissions)
    )
    _LOG.debug("%s: preflight: %s", spec.name, "; ".join((*result.problems, *result.notes)) or "nothing to say")
    return result


def _of_stream(context: Context, spec: StreamSpec, info: StreamInfo | None) -> Verdict:
    note_successor(context, spec, info)
    note_reopened(context, info)
    if old := predecessor(context, spec, info):
        return _of_renamed_stream(context, spec, old, info)
    return _of_new_stream(context, spec) if info is None else _of_present_stream(context, spec, info)


def _of_renamed_stream(context: Context, spec: StreamSpec, old: StreamInfo, info: StreamInfo | None) -> Verdict:
    planned = plan_renaming(spec, old)
    if problems := tuple(renaming_problems(context, spec, old, info)):
        return Verdict(problems)
    carry = carry_preflight(context, spec, old, planned)
    approval = approval_of(spec.name, loss_of(context, spec, old, planned))
    server = [each.said_of(spec.name) for each in _server_problems(context, spec.config, old.config)]
    return Verdict((*server, *carry.problems, *approval.problems), (*carry.notes, *approval.notes))


def _of_new_stream(context: Context, spec: StreamSpec) -> Verdict:
    problems = [*create_problems(spec.config), *_server_problems(context, spec.config, None)]
    return Verdict(
        tuple(each.said_of(spec.name) for each in problems),
        missing_notes(context, spec.name, "makes it again, with the messages in its files if it has some"),
    )


def _of_present_stream(context: Context, spec: StreamSpec, info: StreamInfo) -> Verdict:
    ours = context.run.is_ours(spec.name, info)
    if problem := ownership_problem(spec, info) or (None if ours else adoption_problem(spec, info)):
        return Verdict((problem,))
    planned = plan(info.config, spec.config)
    made_again = context.run.has_in_state(spec.name)
    taken_over = () if ours else (adoption_note(spec, info, made_again=made_again),)
    if planned.effect is Effect.NOTHING:
        return Verdict(notes=taken_over)
    approval = approval_of(spec.name, loss_of(context, spec, info, planned))
    carry = carry_preflight(context, spec, info, planned) if planned.effect is Effect.CARRY else Verdict()
    return Verdict(
        (*_change_problems(context, spec, info, planned), *carry.problems, *approval.problems),
        (*taken_over, *_foreign_changes(context, spec, info), *carry.notes, *approval.notes),
    )


def _foreign_changes(context: Context, spec: StreamSpec, info: StreamInfo) -> list[str]:
    """Of a stream that is ours: what is about to be changed back."""
    last_set = context.run.last_set(spec.name)
    if last_set is None or not context.run.is_ours(spec.name, info):
        return []
    note = foreign_change_note(spec, info, last_set)
    return [note] if note else []


def _change_problems(context: Context, spec: StreamSpec, info: StreamInfo, planned: Plan) -> list[str]:
    problems = [*planned.problems, *_server_problems(context, spec.config, info.config)]
    if info.consumers and any(change.field == "consumer_limits" for change in planned.changes):
        problems += consumer_problems(info.config, spec.config, context.client().consumers(spec.name))
    return [
        *(each.said_of(spec.name) for each in problems),
        *_replacement_problems(context, spec, info, planned.replaces),
    ]


def _replacement_problems(context: Context, spec: StreamSpec, info: StreamInfo, fields: list[str]) -> list[str]:
    """A replacement deletes, so the policy on deleting decides whether there can be one."""
    if not fields:
        return []
    what = f"{', '.join(fields)} cannot change in place, and on_delete is {spec.on_delete}"
    if spec.on_delete is OnDelete.RETAIN:
        return [f"{what}: the stream there would be in the way of the new one"]
    if spec.on_delete is OnDelete.GUARD and is_guarded(context.run, info):
        return [f"{what}: {contents(context.run, with_objects(context, info))}"]
    return []


def _server_problems(context: Context, config: StreamConfig, replacing: StreamConfig | None) -> list[Problem]:
    """The server's reasons, by what it holds now; only where there are some, by what this run leaves it with."""
    facts = context.server.facts(config["name"])
    if not (surrounding_problems(config, facts, replacing) or [*feedback_problems(config, facts.others)]):
        return []
    after = context.facts_after(facts)
    return [*surrounding_problems(config, after, replacing), *feedback_problems(config, after.others)]
