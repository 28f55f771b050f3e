"""What an operator does with a stack: write what is wanted, run, approve what is asked for, or take it back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.campaign.checks import configurations, look
from tests.support.campaign.ledger import Excuses, Key
from tests.support.campaign.model import World
from tests.support.campaign.places import Places
from tests.support.campaign.runner import Outcome, Strike, run
from tests.support.campaign.steps import RUN, STACK
from tests.support.faults.figures import Figures
from tests.support.faults.killing import end_session

if TYPE_CHECKING:
    from tests.e2e.conftest import Project


@dataclass
class CampaignFigures(Figures):
    """A campaign's figures.

    Attributes:
        runs: how often `up` was run.
        refused: how many of these runs were refused.
        destroys: how often `destroy` was run.
        copied: messages that are in a copy and nowhere else.
    """

    runs: int = 0
    refused: int = 0
    destroys: int = 0
    copied: int = 0


@dataclass
class Operator:
    """Runs pulumi and keeps account of it.

    Attributes:
        excuses: why messages may be missing after this step.
        typical: seconds that an up takes.
        engines: process ids of the engines that were started in this step.
        copies: whose word it is that streams are copied, in this step.
    """

    project: Project
    places: Places
    figures: CampaignFigures
    excuses: Excuses = field(default_factory=Excuses)
    typical: float = 3.0
    engines: list[int] = field(default_factory=list)
    copies: str = ""

    @property
    def copies_folder(self) -> Path:
        """Where this step's copies are."""
        return self.project.folder / "copies"

    def want(self, world: World) -> None:
        """Write the settings and the catalogue."""
        copying = {"backupTo": str(self.copies_folder)} if self.copies == STACK else {}
        self.project.configure(**self.places.configuration(world), **copying)
        self.project.catalogue(**world.catalogue())

    def preview(
        self, *arguments: str, approved: Iterable[str] = (), environment: Mapping[str, str] | None = None
    ) -> Outcome:
        """Plan."""
        return self._run("preview", *arguments, environment={**_approval(approved), **(environment or {})})

    def up(
        self,
        *arguments: str,
        approved: Iterable[str] = (),
        strike: Strike | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Bring the stack up; where nothing struck, a refusal has changed nothing."""
        before = configurations(look(self.places))
        outcome = self._run(
            "up", "--yes", *arguments, environment={**_approval(approved), **(environment or {})}, strike=strike
        )
        self.excuses.approved |= dict.fromkeys(approved, time.time())
        self._recover(outcome)
        self.figures.runs += 1
        self.figures.faults += outcome.hit
        if outcome.refused and not outcome.hit:
            self.figures.refused += 1
            _require_untouched(before, configurations(look(self.places)), outcome)
        return outcome

    def destroy(self, world: World, *, strike: Strike | None = None) -> Outcome:
        """Take the stack down; its policies are the approval."""
        outcome = self._run("destroy", "--yes", "--skip-preview", environment={}, strike=strike)
        deleted = [name for name in world.streams if world.policy(name) != "retain"]
        self.excuses.approved |= dict.fromkeys(deleted, time.time())
        self._recover(outcome, typical=False)
        self.figures.destroys += 1
        self.figures.faults += outcome.hit
        return outcome

    def settle(self, outcome: Outcome, before: World, *, keeps: bool) -> bool:
        """After a run that something may have struck: one clean up, with the approvals that it asks for.

        Returns:
            Whether the edits are kept; else one up has taken them back.
        """
        outcome = self._approved_up(outcome if not outcome.hit else self.up("--skip-preview"), keeps=keeps)
        if not outcome.refused:
            return True
        self.want(before)
        outcome = self._approved_up(self.up("--skip-preview"), keeps=True)
        assert not outcome.refused, f"taken back, and refused all the same: {outcome.text}"
        return False

    def rest(self) -> None:
        """End what the step's engines have left behind; nothing is to be done any more."""
        for engine in self.engines:
            end_session(engine)
        self.engines.clear()
        outcome = self.preview("--diff", "--expect-no-changes")
        assert not outcome.refused, f"there is something to do: {outcome.text}"

    def _approved_up(self, outcome: Outcome, *, keeps: bool) -> Outcome:
        """Name what is asked for, until nothing more is."""
        named: set[str] = set()
        while keeps and outcome.refused and (asked := outcome.asked() - named):
            named |= asked
            outcome = self.up("--skip-preview", approved=sorted(named))
        return outcome

    def _run(self, *arguments: str, environment: Mapping[str, str], strike: Strike | None = None) -> Outcome:
        copying = {"STREAMS_BACKUP_TO": str(self.copies_folder)} if self.copies == RUN else {}
        outcome = run(self.project, *arguments, environment={**copying, **environment}, strike=strike)
        self.engines.append(outcome.engine)
        print(f"  {' '.join(arguments)} {environment or ''}: {outcome.summary()}")  # noqa: T201 - shown with a failure
        return outcome

    def _recover(self, outcome: Outcome, *, typical: bool = True) -> None:
        """End the fault; a killed engine leaves its lock, and maybe half a state."""
        self.places.recover()
        if outcome.code < 0:
            self.project.repair_state()
            self._run("cancel", "--yes", environment={})
        elif typical and not outcome.hit and not outcome.refused:
            self.typical = outcome.seconds


def _approval(names: Iterable[str]) -> dict[str, str]:
    listed = ",".join(names)
    return {"STREAMS_ALLOW_LOSS": listed} if listed else {}


def _require_untouched(before: Mapping[Key, Any], after: Mapping[Key, Any], outcome: Outcome) -> None:
    keys = {*before, *after}
    changed = {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}
    assert not changed, f"a refused run has changed {changed}: {outcome.text}"
