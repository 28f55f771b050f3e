"""Whose answer counts, when a leaf node answers too."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.user_info import user_info


class Hub:
    """A client and its connection to a hub; who answers first, a server of these ids."""

    server_start = "HUB"

    def __init__(self, *answering: str) -> None:
        self.connection = self
        self._answering = [*answering, *[answering[-1]] * 9]

    def request(self, _subject: str, _body: bytes, _timeout: float) -> bytes:
        return json.dumps(_answer(self._answering.pop(0))).encode()


def _answer(server: str) -> dict[str, Any]:
    return {"server": {"id": server}, "data": {"user": server}}


@pytest.mark.parametrize(
    ("answering", "told"), [(("HUB",), "HUB"), (("LEAF", "LEAF", "HUB"), "HUB"), (("LEAF",), None), (("",), None)]
)
def test_only_the_server_that_lets_the_user_in(answering: tuple[str, ...], told: str | None) -> None:
    """Another one speaks of the leaf's connection; without the right one, nothing is known."""
    found = user_info(cast("JetStream", Hub(*answering)))
    assert found == (_answer(told) if told else {})
