"""`make metrics` and `make monitoring` in a checkout: the server, the catalogue and the last up are the stack's."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.checkout import Checkout
from tests.support.external_checkout import configure, external_checkout, made, state_of, write_state
from tests.support.nats_server import NatsServer

UP = {"kind": "update", "result": "succeeded", "endTime": 1700000000}


def stack(tmp_path: Path, server: NatsServer) -> Checkout:
    """A checkout with a stack on a server, which has been up once."""
    copy = external_checkout(tmp_path)
    configure(copy, server)
    write_state(copy, state_of(server, made(copy, server), {}))
    history = copy.folder / ".pulumi-state/.pulumi/history/prediction-streams/mine"
    history.mkdir(parents=True)
    (history / "mine-1.history.json").write_text(json.dumps(UP))
    return copy


def test_the_figures_of_a_stack(tmp_path: Path, server: NatsServer) -> None:
    """Its streams and its last up, without Pulumi; what is printed is nothing but metrics."""
    code, lines = stack(tmp_path, server).run("python3 -m tools metrics 2>/dev/null")

    assert 0 == code, lines
    assert {'streams_stream_present{stream="ORDERS"} 1.0', "streams_last_up_timestamp_seconds 1.7e+09"} <= set(lines)
    assert [] == [line for line in lines if not line.startswith(("#", "streams_"))]


def test_the_files_for_a_stack(tmp_path: Path, server: NatsServer) -> None:
    """In the checkout's folder `monitoring`, of the stack's own catalogue."""
    copy = stack(tmp_path, server)
    code, lines = copy.run("python3 -m tools monitoring")

    assert 0 == code, lines
    assert (
        'streams_stream_present{stream="ORDERS"}'
        in (copy.folder / "monitoring/prometheus/rules/streams.yml").read_text()
    )
