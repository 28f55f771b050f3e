"""The steps of a campaign, drawn from a seed. Pure.

Each step is drawn from the seed and its own index, so that some of them can be replayed without the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.support.campaign.edits import Edit, draw
from tests.support.campaign.model import World

KINDS: Final[Mapping[str, int]] = {
    "kill engine": 3,
    "kill engine, orphans live": 2,
    "kill program": 2,
    "kill provider": 3,
    "kill server": 3,
    "pause server": 3,
    "cut connection": 3,
}
RUN, STACK = "run", "stack"
REQUESTS: Final = ("CREATE", "UPDATE", "DELETE")
_MOST_EDITS: Final = 3


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Attributes:
        kind: one of KINDS.
        request: at which request for a change it happens, the first one is 1; 0 is at a moment.
        share: the moment, as a share of the time a run takes.
        seconds: how long a pause lasts.
    """

    kind: str
    request: int = 0
    share: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        when = f"at change {self.request}" if self.request else f"after {self.share:.0%} of a run"
        return f"{self.kind} {when}" + (f" for {self.seconds:.1f} s" if self.kind == "pause server" else "")


@dataclass(frozen=True)
class Step:
    """One change of the stack, and what comes in its way.

    Attributes:
        edits: what is changed.
        fault: what goes wrong meanwhile.
        quiet: nobody publishes during the run, so that what preview counts can be compared.
        approves: whether the run names every stream in its approval from the start.
        keeps: whether a refusal is answered with an approval; else the edits are taken back.
        previews: whether a preview comes before.
        options: arguments of `pulumi up`.
        environment: variables of the run.
        copies: whose word it is that streams are copied before they lose messages: of the run, the stack or nobody.
        destroys: whether the stack is taken down afterwards, and brought up again.
        destroy_fault: what goes wrong meanwhile.
    """

    edits: tuple[Edit, ...]
    fault: Fault | None = None
    quiet: bool = False
    approves: bool = False
    keeps: bool = True
    previews: bool = False
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    copies: str = ""
    destroys: bool = False
    destroy_fault: Fault | None = None

    def apply(self, world: World) -> World:
        """The world that the step wants."""
        for edit in self.edits:
            world = edit.apply(world)
        return world

    def __str__(self) -> str:
        words = [f"{edit.name} {edit.number}" for edit in self.edits] + ([str(self.fault)] if self.fault else [])
        words += [word for word in ("quiet", "approves", "keeps", "previews") if getattr(self, word)]
        words += [f"copies of the {self.copies}"] if self.copies else []
        words += [f"then a destroy, {self.destroy_fault or 'undisturbed'}"] if self.destroys else []
        return ", ".join([*words, *self.options, *self.environment])


def steps(seed: int, indexes: Iterable[int]) -> list[Step]:
    """The steps with these indexes."""
    return [_step(Random(f"{seed}/{index}")) for index in indexes]  # noqa: S311 - to be repeated


def _step(chance: Random) -> Step:
    edits = draw(chance, chance.randint(1, _MOST_EDITS))
    quiet = chance.random() < 1 / 4
    fault = None if quiet or chance.random() < 1 / 5 else _fault(chance)
    return Step(
        edits,
        fault=fault,
        quiet=quiet,
        # A run that is refused is over before a fault can strike.
        approves=chance.random() < (3 / 4 if fault else 2 / 5),
        keeps=chance.random() < 2 / 3,
        previews=quiet or chance.random() < 1 / 5,
        options=(
            *(("--skip-preview",) if chance.random() < 2 / 3 else ()),
            *(("--parallel=1",) if chance.random() < 1 / 4 else ()),
        ),
        environment=_environment(chance),
        copies=chance.choice((RUN, STACK)) if chance.random() < 1 / 3 else "",
        destroys=chance.random() < 1 / 5,
        destroy_fault=None if quiet or chance.random() < 1 / 2 else _fault(chance),
    )


def _fault(chance: Random) -> Fault:
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    request = chance.choice((1, 1, 2, 3)) if chance.random() < 2 / 3 else 0
    return Fault(kind, request, share=chance.uniform(0.2, 0.95), seconds=chance.choice((0.5, 2.0, 5.0)))


def _environment(chance: Random) -> dict[str, str]:
    skipped = {"PULUMI_SKIP_CHECKPOINTS": "true"}
    return skipped if chance.random() < 1 / 5 else {}
