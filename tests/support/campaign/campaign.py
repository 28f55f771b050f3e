"""A campaign carried out: step after step, with what must hold after each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from tests.support.campaign import checks
from tests.support.campaign.checks import View
from tests.support.campaign.copies import copied
from tests.support.campaign.faults import Striker
from tests.support.campaign.ledger import Ack, Excuses, Key, Ledger, dropping
from tests.support.campaign.model import FEW, FIRST, World
from tests.support.campaign.operator import CampaignFigures, Operator
from tests.support.campaign.places import Own, places
from tests.support.campaign.publishers import Publishers, publishing
from tests.support.campaign.runner import Outcome, Strike
from tests.support.campaign.steps import Fault, Step, steps

if TYPE_CHECKING:
    from tests.e2e.conftest import Project

Losses: TypeAlias = Mapping[str, tuple[int, int]]


@dataclass
class Campaign:
    """A stack under attack, in the world that its last step has left."""

    operator: Operator
    publishers: Publishers
    world: World = FIRST

    def begin(self) -> None:
        """Bring the first world up."""
        self.operator.want(self.world)
        outcome = self.operator.up("--skip-preview")
        assert not outcome.refused, outcome.text

    def play(self, step: Step) -> None:
        """Carry out one step, and prove what must hold afterwards."""
        before, after = self.world, step.apply(self.world)
        print(f"{step}: {after}")  # noqa: T201 - shown with a failure
        self.operator.copies = step.copies
        with self.publishers.working():
            self.publishers.burst()
        view = self._begin()
        with nullcontext() if step.quiet else self.publishers.working():
            promised, kept = self._run(step, before, after)
        self.world = after if kept else before
        self.operator.rest()
        self._prove(before, after, view)
        if step.quiet:
            self._compare(before, view, promised if kept else {})
        if step.destroys:
            self._destroy(step)
        self._tidy_up()
        self.operator.figures.converged += 1

    def _begin(self) -> View:
        """Nothing is excused yet; what the servers hold."""
        self.operator.excuses = Excuses()
        return checks.look(self.operator.places)

    def _destroy(self, step: Step) -> None:
        """Take the stack down, prove what its policies say, and bring it up again."""
        world = self.world
        view = self._begin()
        with nullcontext() if step.quiet else self.publishers.working():
            outcome = self.operator.destroy(world, strike=self._strike(step.destroy_fault, world, world))
        self._excuse_memory(step.destroy_fault, world, world, outcome)
        now = checks.look(self.operator.places)
        held, volatile = view[world.place] or {}, self.operator.excuses.volatile
        checks.require_policies(world, held, now, self.operator.places, outcome, volatile)
        self._account(world, world, view, now)
        view = self._begin()
        with nullcontext() if step.quiet else self.publishers.working():
            assert self.operator.settle(self.operator.up("--skip-preview"), world, keeps=True)
        self.operator.rest()
        self._prove(world, world, view)

    def _run(self, step: Step, before: World, after: World) -> tuple[Losses, bool]:
        """What the preview says would be deleted, and whether the edits are kept."""
        self.operator.want(after)
        approved = sorted({*before.streams, *after.streams}) if step.approves else []
        planned = self.operator.preview(approved=approved, environment=step.environment) if step.previews else None
        outcome = self.operator.up(
            *step.options,
            approved=approved,
            strike=self._strike(step.fault, before, after),
            environment=step.environment,
        )
        if planned and step.quiet:
            assert planned.refused == outcome.refused, f"preview and up differ: {planned.text}\n{outcome.text}"
        self._excuse_memory(step.fault, before, after, outcome)
        return planned.losses() if planned else {}, self.operator.settle(outcome, before, keeps=step.keeps)

    def _strike(self, fault: Fault | None, before: World, after: World) -> Strike | None:
        if not fault:
            return None
        target = next((place for place in (after.place, before.place) if self.operator.places.url(place)), before.place)
        striker = Striker(self.operator.places, target, self.operator.typical, lambda: self.publishers.changes)
        return partial(striker.strike, fault)

    def _excuse_memory(self, fault: Fault | None, before: World, after: World, outcome: Outcome) -> None:
        """What is in a server's memory ends with it."""
        if outcome.hit and fault and fault.kind == "kill server":
            self.operator.excuses.volatile |= {
                (world.place, name)
                for world in (before, after)
                for name, stream in {**before.streams, **after.streams}.items()
                if stream.in_memory()
            }

    def _prove(self, before: World, after: World, view: View) -> None:
        now = checks.look(self.operator.places)
        self._account(before, after, view, now)
        checks.require_nothing_released(now)
        checks.require_wanted(self.world, now[self.world.place] or {}, self.operator.project.state)
        checks.require_content(self.operator.places, now, self.publishers.ledger)

    def _account(self, before: World, after: World, view: View, now: View) -> None:
        """Every acknowledged message that is gone went with approval, and is in a copy if there was to be one."""
        excuses, ledger = self.operator.excuses, self.publishers.ledger
        few = {name for name in before.streams if checks.messages(view, before.place, name) <= FEW}
        excuses.dropping = dropping(_drops(before), _drops(after), few | excuses.approved.keys())
        gone = checks.missing(self.operator.places, now, ledger)
        self.operator.figures.count_lost(checks.lost(gone, excuses))
        if self.operator.copies:  # a stream that has dropped messages all along has done so before its copy
            self._compare_copies({key: acks for key, acks in gone.items() if not _drops(before).get(key[1])})
        for key, acks in gone.items():
            ledger.forget(key, acks)

    def _compare_copies(self, gone: Mapping[Key, list[Ack]]) -> None:
        folder = self.operator.copies_folder
        copies = copied(folder, {name for _place, name in gone}, folder.with_name("scratch"))
        uncopied = checks.not_copied(gone, self.operator.excuses, copies)
        assert not uncopied, f"deleted with approval, and in no copy: {uncopied}"
        self.operator.figures.copied += sum(len(numbers) for found in copies.values() for numbers in found)

    def _compare(self, before: World, view: View, promised: Losses) -> None:
        """Nobody published: as many messages have gone as the preview said."""
        now = checks.look(self.operator.places)
        for name, stream in before.streams.items():
            if stream.drops() or self.world.streams.get(name, stream).drops_by_age():
                continue
            gone = checks.gone(self.operator.places, view, now, (before.place, name))
            fewest, most = promised.get(name, (0, 0))
            assert fewest <= gone <= most, f"{name}: preview said {fewest} to {most} messages would go, {gone} went"

    def _tidy_up(self) -> None:
        """What the stack has left on servers goes, so that it does not fill up what is there; and so do its copies."""
        shutil.rmtree(self.operator.copies_folder, ignore_errors=True)
        shutil.rmtree(self.operator.copies_folder.with_name("scratch"), ignore_errors=True)
        for name, place in self.operator.places.all.items():
            keep = {*self.world.streams} if name == self.world.place else set[str]()
            self.operator.places.wipe(name, keep)
            if not keep and isinstance(place, Own) and not place.pid:
                shutil.rmtree(place.folder, ignore_errors=True)
            for key in self.publishers.ledger.expecting():
                if key[0] == name and key[1] not in keep:
                    self.publishers.ledger.forget(key, self.publishers.ledger.missing(key, None))


@contextmanager
def campaign(project: Project, figures: CampaignFigures) -> Iterator[Campaign]:
    """A stack that is up, with publishers and servers; ended, whatever happens."""
    with places(project.folder) as made:
        urls = {url: name for name, place in made.all.items() for url in place.urls}
        with publishing(urls, Ledger()) as publishers:
            started = Campaign(Operator(project, made, figures), publishers)
            try:
                started.begin()
                yield started
            finally:
                figures.acknowledged += publishers.ledger.count


def play(project: Project, figures: CampaignFigures, seed: int, indexes: Sequence[int]) -> None:
    """Play some steps of a seed; a failure names how to replay them."""
    played: list[int] = []
    with campaign(project, figures) as attacked:
        for index, step in zip(indexes, steps(seed, indexes), strict=True):
            played.append(index)
            try:
                attacked.play(step)
            except BaseException as error:
                error.add_note(f"replay: {replay_line(seed, played)}")
                raise


def replay_line(seed: int, indexes: Sequence[int]) -> str:
    """The command that plays these steps again."""
    return f"CAMPAIGN={seed}:{','.join(map(str, indexes))} make explore ARGS='-k campaign'"


def _drops(world: World) -> dict[str, bool]:
    return {name: stream.drops() for name, stream in world.streams.items()}
