"""What becomes of a stream that leaves the program, for the plan."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.errors import ProvisionerError
from provisioner.plan.held import held
from provisioner.reconcile.context import Context
from provisioner.reconcile.deletion import contents, holding, is_guarded
from provisioner.reconcile.loss_approval import approve
from provisioner.reconcile.objects import with_objects
from provisioner.reconcile.permitted import missing_for_leaving
from provisioner.reconcile.run_state import RunState
from provisioner.reconcile.verdict import Verdict, together
from provisioner.schema.model import OnDelete, StreamInfo


def leaving(target: Context, info: StreamInfo, policy: OnDelete) -> Verdict:
    """What its policy means for it, and whether that needs approval."""
    name = str(info.config["name"])
    if not target.run.is_ours(name, info):
        return Verdict(notes=(_stranger(info),))
    info = with_objects(target, info)
    lacking = missing_for_leaving(target, info, policy)
    return together((_fate(target.run, info, policy), Verdict(tuple(f"{name}: {lack}" for lack in lacking.problems))))


def _fate(run: RunState, info: StreamInfo, policy: OnDelete) -> Verdict:
    name = str(info.config["name"])
    if policy is OnDelete.RETAIN:
        return Verdict(notes=(f"{name} leaves the catalogue and stays on the server with {holding(info)}",))
    if policy is OnDelete.GUARD and is_guarded(run, info):
        return Verdict((contents(run, info),))
    return approve(name, f"leaving the catalogue would delete {holding(info)}") if info.messages else Verdict()


def _stranger(info: StreamInfo) -> str:
    subjects = ", ".join(info.config["subjects"])
    return (
        f"{info.config['name']} leaves the catalogue, and the stream of that name on the server is not the one in the "
        f"state: made by others, or by a run that was cut short. It is left as it is, with {held(info)} on {subjects}"
    )


def present(target: Context) -> Mapping[str, StreamInfo]:
    """The streams of a server; none where it cannot be asked."""
    try:
        return target.server.streams()
    except ProvisionerError:
        return {}
