"""How a report is shown."""

from __future__ import annotations

import pytest

from provisioner.status.render import shared_prefix


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["prediction-streams-local-1", "prediction-streams-local-3"], ["1", "3"]),
        (["n0", "n1"], ["n0", "n1"]),
        (["eu-west-a", "eu-north-b"], ["west-a", "north-b"]),
        (["nats-2"], ["2"]),
        ([], []),
    ],
)
def test_what_all_nodes_are_called_is_left_out(names: list[str], shown: list[str]) -> None:
    """A table has no room for the stack's name in each row."""
    assert [name[shared_prefix(names) :] for name in names] == shown
