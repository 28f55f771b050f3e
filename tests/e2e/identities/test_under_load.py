"""Keys, certificates and nodes that change under a publisher at full speed, one by one and all at once."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import ssl
from pathlib import Path
from typing import Any

import nats

from provisioner.services.model import PROVISIONER, inbox_prefix
from tests.e2e.cluster.test_life import NODES
from tests.e2e.conftest import ROOT, Project
from tests.e2e.identities.test_identities import outputs, pids, settings
from tests.support.exploring import explores
from tests.support.faults.figures import PROPERTY, Figures, Record
from tests.support.faults.flood import Flood, flooding
from tests.support.ports import free_port

# Of a cluster every copy counts.
SERVICES = (ROOT / "infra/services.yaml").read_text().replace("max_file: 20GiB", "max_file: 60GiB")
WHO, SUBJECT, STREAM = "market-data-ingestion", "market.data.news", "MARKET_DATA"
_PORTS = ("clientPort", "monitorPort", "clusterPort")
_AT_ONCE = 50


def write(project: Project, login: str, *changed: str) -> None:
    """The committed services, these with another key; the provisioner may read messages, for the proof."""
    text = SERVICES
    for name in changed:
        text = text.replace(f"  {name}:\n", f"  {name}:\n    key: 2\n")
    key = 2 if PROVISIONER in changed else 1
    (project.folder / "services.yaml").write_text(
        f"login: {login}\n{text}\n{PROVISIONER}: {{counts: true, key: {key}}}\n"
    )


def options(project: Project, identity: str) -> dict[str, Any]:
    """How nats-py connects as somebody."""
    told = outputs(project)
    secret = told["credentials"][identity]
    login = {"nkeys_seed_str": secret}
    if "BEGIN" in secret:
        file = project.folder / f"{identity}.creds"
        file.write_text(secret)
        login = {"user_credentials": str(file)}
    trusted = {"tls": ssl.create_default_context(cadata=told["ca"])} if "ca" in told else {}
    patience = {"max_reconnect_attempts": -1, "reconnect_time_wait": 0.1, "ping_interval": 1, "error_cb": _ignore}
    return {**login, **trusted, **patience, "inbox_prefix": inbox_prefix(identity)}


async def _ignore(_error: Exception) -> None:
    """What a publisher makes of a lost connection, which is counted elsewhere."""


def lost(project: Project, flood: Flood) -> list[int]:
    """The acknowledged numbers that the stream does not have."""
    return sorted(flood.acknowledged - asyncio.run(_stored(outputs(project)["url"], options(project, PROVISIONER))))


async def _stored(url: str, login: dict[str, Any]) -> set[int]:
    client = await nats.connect(url.split(","), **login)
    try:
        state = json.loads((await client.request(f"$JS.API.STREAM.INFO.{STREAM}", timeout=10)).data)["state"]
        sequences = range(state["first_seq"], state["last_seq"] + 1)
        batches = (sequences[first : first + _AT_ONCE] for first in range(0, len(sequences), _AT_ONCE))
        return {number for batch in batches for number in await asyncio.gather(*(_one(client, each) for each in batch))}
    finally:
        await client.close()


async def _one(client: Any, sequence: int) -> int:
    request = json.dumps({"seq": sequence}).encode()
    answer = json.loads((await client.request(f"$JS.API.STREAM.MSG.GET.{STREAM}", request, timeout=10)).data)
    return int(base64.b64decode(answer["message"]["data"]))


def finish(project: Project, flood: Flood, figures: Figures) -> set[str]:
    """Nothing that was acknowledged is missing; what a destroy leaves."""
    figures.acknowledged = len(flood.acknowledged)
    figures.count_lost({STREAM: lost(project, flood)})
    project.destroy()
    return {str(path.name) for path in Path(project.settings["storeDir"]).rglob("*") if path.is_file()}


def test_other_keys_end_nobody_else(project: Project, figures: Figures) -> None:
    """A service's and the provisioner's, in one run: a publisher at full speed stays connected and loses nothing."""
    project.configure(**settings(project), services="services.yaml", maxFileStore="90GiB")
    write(project, "nkey")
    project.up()
    with flooding(outputs(project)["url"], SUBJECT, **options(project, WHO)) as flood:
        flood.wait_for_more()
        write(project, "nkey", "routing-agent", PROVISIONER)
        project.up()
        flood.wait_for_more()
        assert flood.disconnections == 0
    assert project.unchanged()
    assert not finish(project, flood, figures)


def several(project: Project) -> dict[str, Any]:
    """Three nodes with everything on."""
    ports = {key: ",".join(str(free_port()) for _ in range(NODES)) for key in _PORTS}
    return {**settings(project), **ports, "nodes": NODES, "replicas": NODES, "services": "services.yaml"}


class TestExplore:
    """Combinations that take minutes."""

    pytestmark = explores()

    def test_all_at_once(self, project: Project, figures: Figures, record_property: Record) -> None:
        """TLS, an operator's logins, encryption and three nodes: renewed with another limit at once, a node killed."""
        everything = {**several(project), "tls": "authority", "encryption": "chachapoly"}
        project.configure(**everything, maxFileStore="90GiB")
        write(project, "creds")
        project.up()
        assert project.unchanged()
        before = pids(project)
        with flooding(outputs(project)["url"], SUBJECT, **options(project, WHO)) as flood:
            flood.wait_for_more()
            project.configure(**{**project.settings, "certificate": 2, "maxFileStore": "95GiB"})
            project.up()
            flood.wait_for_more()
            assert before == pids(project)
            renewed = (flood.disconnections, flood.longest_gap)
            os.kill(pids(project)[1], signal.SIGKILL)
            project.up()
            flood.wait_for_more()
            assert project.unchanged()
        figures.faults = figures.converged = 1
        line = f"all at once: renewed with {renewed}, afterwards gap {flood.longest_gap:.2f} s"
        record_property(PROPERTY, line)
        assert renewed[0] == 0
        assert not finish(project, flood, figures)

    def test_one_becomes_three(self, project: Project, figures: Figures, record_property: Record) -> None:
        """With TLS and services on, under a publisher; in the folder of the one stays its data, and no private key."""
        after = {**several(project), "tls": "authority", "maxFileStore": "90GiB"}
        before = {key: value.split(",")[0] if key.endswith("Port") else value for key, value in after.items()}
        project.configure(**{key: before[key] for key in before if key not in {"nodes", "replicas", "clusterPort"}})
        write(project, "nkey")
        project.up()
        with flooding(outputs(project)["url"], SUBJECT, **options(project, WHO)) as flood:
            flood.wait_for_more()
            project.configure(**after)
            project.up()
            flood.wait_for_more()
        assert project.unchanged()
        record_property(PROPERTY, f"one becomes three with TLS and services: gap {flood.longest_gap:.2f} s")
        left = finish(project, flood, figures)
        assert "nats.conf" in left
        assert not {name for name in left if name.endswith(".pem")}
