"""A stack that gets more nodes, under a publisher and under faults: no acknowledged message is lost."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Project, Template
from tests.support.exploring import explores, new_seeds
from tests.support.faults.figures import PROPERTY, Figures, Record
from tests.support.faults.growing import Growth, grow


def test_three_become_five(project: Project, figures: Figures) -> None:
    """The new nodes join in one up; the streams stay on three, and nothing is lost."""
    outcome = grow(project, Growth(3, 5))
    assert not outcome.failed, outcome.said
    figures.acknowledged, figures.converged = outcome.acknowledged, 1
    figures.count_lost(outcome.missing)


class TestExplore:
    """Faults and moments that no run has seen."""

    pytestmark = explores()

    def test_growth(self, template: Template, tmp_path: Path, figures: Figures, record_property: Record) -> None:
        """Killed or paused anywhere in an up from one to three, or from three to five: the next up is enough."""
        for number, seed in enumerate(new_seeds(share=1.0)):
            what = Growth.drawn(seed, ((1, 3), (1, 3), (3, 5)))
            print(repr(what), flush=True)  # noqa: T201 - pytest shows it with a failure
            with template.copied(tmp_path / str(number)) as project:
                outcome = grow(project, what)
            figures.faults += outcome.hit
            figures.acknowledged += outcome.acknowledged
            figures.converged += 1
            figures.count_lost(outcome.missing)
            line = f"{what}: hit {outcome.hit}, failed {outcome.failed}, gap {outcome.gap:.1f} s"
            print(line, flush=True)  # noqa: T201 - with `-s` while it runs
            record_property(PROPERTY, line)
