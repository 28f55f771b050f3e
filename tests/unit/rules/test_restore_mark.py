"""The mark of a stream that is being restored."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.jetstream.codec import from_config
from provisioner.rules.restore_mark import RESTORING, RestoreMark, mark_of, marked, part_held, partial_problem
from provisioner.schema.model import StreamInfo
from tests.support.configurations import config

MARK = RestoreMark(copy="/copies/monday morning/ORDERS", sha256="5a", messages=1_200, restore="one")


def _partial(**raw: Any) -> StreamInfo:
    return StreamInfo(from_config(marked({"name": "ORDERS", **raw}, MARK)), "", messages=7)


def test_a_marked_configuration_is_closed() -> None:
    """Neither publishers nor sources can add a message, and everything else is as it was."""
    raw = {"name": "ORDERS", "subjects": ["o.>"], "sources": [{"name": "A"}], "max_age": 7, "metadata": {"a": "b"}}
    closed = marked(raw, MARK)
    assert (["_released.ORDERS"], None, 7) == (closed["subjects"], closed["sources"], closed["max_age"])
    assert {"a", RESTORING} == closed["metadata"].keys()


@pytest.mark.parametrize("raw", [{"mirror": {"name": "A"}}, {"sealed": True, "subjects": ["o.>"]}])
def test_what_cannot_be_given_back_stays(raw: dict[str, Any]) -> None:
    """A mirror's origin, a sealed stream's subjects."""
    closed = marked({"name": "ORDERS", **raw}, MARK)
    assert raw == {key: closed[key] for key in raw}


def test_a_mark_reads_back() -> None:
    """It says how much is there, and which command completes the stream."""
    info = _partial(subjects=["o.>"])
    assert MARK == mark_of(info.config)
    assert "restored 7 of 1,200 messages" == part_held(info, MARK)
    assert partial_problem(info) == (
        "is partial: restored 7 of 1,200 messages; run streams restore '/copies/monday morning/ORDERS', "
        "or delete the stream"
    )


@pytest.mark.parametrize("text", ["", "null", "nonsense", "[]", "{}", '{"copy": 1}', "[" * 10_000])
def test_somebody_elses_metadata_is_no_mark(text: str) -> None:
    """Text under the same key that no restore has written."""
    assert mark_of(config(metadata={RESTORING: text})) is None
    assert partial_problem(StreamInfo(config(metadata={RESTORING: text}), "")) is None
