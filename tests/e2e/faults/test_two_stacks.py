"""Two stacks that bring up the same stream at the same moment: both agree, or one is told why not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project, Result
from tests.support.faults.figures import Figures
from tests.support.faults.publisher import publishing
from tests.support.nats_server import NatsServer
from tests.support.requests import recorded

SUBJECTS = {"SHARED": "shared"}


@dataclass(frozen=True)
class Meeting:
    """The settings of two stacks for one stream, and what the refused one is told; None: both succeed."""

    first: dict[str, Any]
    second: dict[str, Any]
    told: str | None


MEETINGS = {
    "equal": Meeting({"max_age": "7d"}, {"max_age": "7d"}, None),
    "different": Meeting({"max_age": "7d"}, {"max_age": "1d"}, "with other settings (max_age "),
    "marked": Meeting({"mark_owner": True}, {"mark_owner": True}, "SHARED belongs to stack prediction-streams/"),
}


def _configure(project: Project, settings: dict[str, Any], **fields: Any) -> None:
    project.catalogue(SHARED={"subjects": ["shared"], **fields})
    file = f"{project.stack}.yaml"
    (project.folder / "streams.yaml").rename(project.folder / file)
    project.configure(**{**settings, "catalogue": file})


def _up(project: Project) -> Result:
    return project.pulumi("up", "--yes", "--skip-preview")


@pytest.mark.parametrize("name", MEETINGS)
def test_two_stacks_at_the_same_moment(
    name: str, server: NatsServer, external: Project, other: Project, jetstream: JetStream, figures: Figures
) -> None:
    """Whoever creates the stream keeps it as it made it; nobody ever updates the other's."""
    meeting, both = MEETINGS[name], (external, other)
    settings = external.settings
    _configure(external, settings, **meeting.first)
    _configure(other, settings, **meeting.second)
    with (
        publishing(server.url, SUBJECTS) as publisher,
        ThreadPoolExecutor() as pool,
        recorded(jetstream, "$JS.API.STREAM.*.*") as requests,
    ):
        said = [*pool.map(_up, both)]
        publisher.wait_for_more()
        refused = [number for number, result in enumerate(said) if result.code != 0]
        assert len(refused) == (meeting.told is not None), [result.text for result in said]
        said += [_up(both[number]) for number in refused]
        figures.faults, figures.acknowledged = 1, publisher.count
        figures.count_lost({"SHARED": publisher.missing(jetstream, "SHARED")})
    for result in said:
        assert result.code == 0 or (meeting.told and meeting.told in result.text), result.text
        assert "Traceback" not in result.text
    assert [] == [request for request in requests if ".CREATE." not in request and ".INFO." not in request]
    assert all(project.unchanged() for number, project in enumerate(both) if number not in refused)
    figures.converged = 1
