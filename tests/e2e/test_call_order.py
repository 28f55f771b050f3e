"""The order of Pulumi's calls that ``reconcile.run_state`` relies on, as the real engine makes them."""

from __future__ import annotations

import re

from provisioner.jetstream.client import JetStream
from tests.e2e.conftest import Project, Result

_CALL = re.compile(r"provider (\w+) (\w+)")


def test_the_order_of_calls(external: Project, jetstream: JetStream) -> None:
    """The refresh ends before the first check; a stream's calls follow one another; deletes are last."""
    external.configure(**external.settings, catalogue="streams.yaml")
    external.catalogue(KEPT={"subjects": ["kept"]}, MOVED={"subjects": ["moved"]}, GONE={"subjects": ["gone"]})
    external.up()
    external.catalogue(
        KEPT={"subjects": ["kept"], "max_msgs": 9}, MOVED={"subjects": ["moved"], "first_seq": 9}, NEW={}
    )

    calls = _calls(external.up(STREAMS_LOG="debug"))
    names = [call for call, _stream in calls]
    assert {"estate", "KEPT", "MOVED", "GONE"} == {stream for call, stream in calls if call == "read"}
    assert ["diff"] * 4 + ["read"] * 4 == sorted(names[:8]), calls
    calls = calls[8:]
    assert ("check", "EstateProvider") == calls[0], "the gate comes before every other check"
    assert calls.index(("update", "estate")) < calls.index(("check", "KEPT")), calls
    assert ["check", "diff", "update"] == _of("KEPT", calls)
    assert ["check", "diff", "check", "delete", "create"] == _of("MOVED", calls)
    assert ["check", "create"] == _of("NEW", calls)
    assert ["delete"] == _of("GONE", calls)
    assert ("delete", "GONE") == calls[-1]
    assert {"KEPT", "MOVED", "NEW"} == set(jetstream.streams())


def test_a_destroy_checks_nothing(external: Project) -> None:
    """It refreshes and deletes: what has to be refused is refused in delete."""
    external.up()
    calls = _calls(external.pulumi("destroy", "--yes", "--skip-preview", STREAMS_LOG="debug"))
    assert {"read", "diff", "delete"} == {call for call, _stream in calls}


def _calls(result: Result) -> list[tuple[str, str]]:
    assert result.code == 0, result.text
    return _CALL.findall(result.text)


def _of(stream: str, calls: list[tuple[str, str]]) -> list[str]:
    return [call for call, name in calls if name == stream]
