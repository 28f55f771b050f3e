"""The services of examples/flow, each a process with an identity of its own, at the stack's consumers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.raw_nats import raw_client
from tests.support.services import ROOT, Guarded, guarded
from tests.support.stack import COMMITTED, build
from tests.support.waiting import until

PROGRAMS: Final = {
    "market-data-ingestion": ("market_data_ingestion",),
    "routing-agent": ("routing_agent",),
    "prediction-agent-normal": ("prediction_agent", "normal"),
    "prediction-agent-earnings": ("prediction_agent", "earnings"),
    "explanation-worker": ("explanation_worker",),
    "api-gateway": ("api_gateway",),
}


@contextmanager
def at_work(server: Guarded, folder: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Every service, writing what it says to ``NAME.out`` and ``NAME.err``; none is left."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, (module, *words) in PROGRAMS.items():
            key = folder / f"{name}.nk"
            key.write_text(server.keys[name].seed)
            with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
                processes[name] = subprocess.Popen(
                    [sys.executable, "-m", f"examples.flow.{module}", *words],
                    env={**os.environ, "NATS_URL": server.server.url, "NATS_NKEY": str(key)},
                    cwd=ROOT, stdout=out, stderr=err,
                )  # fmt: skip
        yield processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def test_the_services_at_work(tmp_path: Path) -> None:
    """A bar becomes decision, prediction and explanation; garbage is dropped once; SIGTERM leaves nothing half done."""
    with guarded(tmp_path / "nats") as server, server.jetstream() as client:
        build(client)
        with raw_client(server.server.url, **server.login("market-data-ingestion")) as provider:
            provider.publish("market.data.ohlcv", b"{")
        with at_work(server, tmp_path) as processes:
            lines = until("both agents' predictions are explained", lambda: _explained(tmp_path), 60)
            for process in processes.values():
                process.send_signal(signal.SIGTERM)
            codes = {name: process.wait(timeout=20) for name, process in processes.items()}
        waiting = {
            hop.label: client.request(f"CONSUMER.INFO.{hop.stream}.{hop.name}")["num_ack_pending"]
            for hop in COMMITTED.consumers
        }

    assert dict.fromkeys(PROGRAMS, 0) == codes
    assert dict.fromkeys(waiting, 0) == waiting
    traces = {
        kind: {line["headers"]["Trace"] for line in lines if kind in line} for kind in ("prediction", "explanation")
    }
    assert traces["explanation"] <= traces["prediction"]
    said = (tmp_path / "routing-agent.err").read_text()
    assert [1, said.count("\n")] == [said.count("market.data.ohlcv cannot be read"), 1]


def _explained(folder: Path) -> list[dict[str, dict[str, str]]] | None:
    """What the gateway shows, once there is an explanation of each kind of prediction."""
    text = (folder / "api-gateway.out").read_text()
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    texts = " ".join(line["explanation"]["text"] for line in lines if "explanation" in line)
    return lines if "ACME" in texts and "GLOBEX" in texts else None
