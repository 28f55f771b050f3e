"""Random changes and random faults with publishers at work: what must hold after each step holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Project, Template
from tests.support.campaign.campaign import play
from tests.support.campaign.operator import CampaignFigures
from tests.support.exploring import explores, new_seeds
from tests.support.faults.figures import Record

# Few enough for every run: servers that are there and of the stack's own, kills, a rename, a rotation, two destroys.
SEEDS = (48,)
SHORT = range(2)
LONG = range(int(os.environ.get("CAMPAIGN_STEPS", "12")))


@pytest.fixture
def figures(record_property: Record) -> Iterator[CampaignFigures]:
    """What the campaign counts."""
    figures = CampaignFigures()
    yield figures
    figures.record(record_property)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_steps(project: Project, figures: CampaignFigures, seed: int) -> None:
    """Nothing acknowledged is lost unapproved, a refused run changes nothing, and one clean up converges."""
    play(project, figures, seed, SHORT)


class TestExplore:
    """Campaigns that no run has seen."""

    pytestmark = explores()

    def test_campaign(self, tmp_path: Path, template: Template, figures: CampaignFigures) -> None:
        """As above, for longer; a failure names the line that replays it."""
        for seed, indexes in _campaigns():
            with template.copied(tmp_path / str(seed)) as project:
                play(project, figures, seed, indexes)


def _campaigns() -> Iterator[tuple[int, list[int]]]:
    """That of CAMPAIGN=seed:step,step, else new ones."""
    seed, _, indexes = os.environ.get("CAMPAIGN", "").partition(":")
    if seed:
        yield int(seed), [int(index) for index in indexes.split(",")] if indexes else [*LONG]
    else:
        yield from ((number, [*LONG]) for number in new_seeds(share=0.3))
