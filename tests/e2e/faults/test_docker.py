"""A container replaced by hand behind the stack's back: the volume's messages are nobody's but the stack's."""

from __future__ import annotations

import pytest
from docker.client import DockerClient

from tests.e2e.conftest import Project
from tests.e2e.test_docker import _name, _url, dev, engine_client
from tests.support.faults.figures import Figures
from tests.support.messages import EXPECTED, publish_one_each, read_one_each
from tests.support.nats_image import ensure_image

pytestmark = pytest.mark.docker
__all__ = ["dev", "engine_client"]  # pytest finds fixtures by their names here


def test_a_container_replaced_by_hand(dev: Project, engine_client: DockerClient, figures: Figures) -> None:
    """A stranger under our name is named and left alone; when it is gone, up has every message again."""
    dev.up()
    publish_one_each(_url(dev))
    engine_client.containers.get(_name(dev)).remove(force=True)
    stranger = engine_client.containers.create(ensure_image(), name=_name(dev))
    try:
        refused = dev.pulumi("up", "--yes", "--skip-preview")
        assert refused.code != 0
        assert f"the name {_name(dev)} is taken by container {stranger.id[:12]}" in refused.text
    finally:
        stranger.remove(force=True)
    dev.up()
    figures.faults, figures.acknowledged, figures.converged = 1, len(EXPECTED), 1
    assert EXPECTED == read_one_each(_url(dev))
    assert dev.unchanged()
