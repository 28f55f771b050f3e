"""The committed state of ``tests/fixtures`` is what the engine writes today."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Project
from tests.support.ports import free_port

STATE = Path(__file__).parents[1] / "fixtures" / "providers.json"
TYPES = {
    "jetstream:Stream": "StreamProvider",
    "jetstream:KeyValue": "KeyValueProvider",
    "jetstream:ObjectStore": "ObjectStoreProvider",
    "jetstream:Consumer": "ConsumerProvider",
    "jetstream:ServerProcess": "ServerProcessProvider",
    "jetstream:Estate": "EstateProvider",
    "jetstream:Store": "StoreProvider",
    "jetstream:Identity": "IdentityProvider",
    "jetstream:Authority": "AuthorityProvider",
    "jetstream:Operator": "OperatorProvider",
    "jetstream:EncryptionKey": "EncryptionKeyProvider",
    "jetstream:Files": "FilesProvider",
    "jetstream:Password": "PasswordProvider",
}


def test_a_state_has_the_committed_names(project: Project) -> None:
    """A class that moves or is renamed would make every stack that is up unreadable. WRITE_STATE=1 writes the file."""
    ports = {"clientPort": free_port(), "monitorPort": free_port()}
    files = {"catalogue": "streams.yaml", "services": "services.yaml"}
    more = {"encryption": "aes", "tls": "authority", "monitoring": True}
    project.configure(server="process", **ports, onDelete="delete", **more, **files)
    stores: dict[str, Any] = {"buckets": {"ONE": {"seed": {"key": "value"}}}, "objects": {"ONE": {}}}
    project.catalogue(ONE={"consumers": {"worker": None}}, **stores)
    (project.folder / "services.yaml").write_text(
        "login: creds\naccount: {name: A}\nservices: {one: {publishes: [ONE]}}\n"
    )
    project.up()
    resources = json.loads(project.pulumi("stack", "export").text)["deployment"]["resources"]
    pickled = {
        name: resource["outputs"]["__provider"]
        for resource in resources
        for suffix, name in TYPES.items()
        if resource["type"].endswith(suffix)
    }
    others = {name: text for name, text in json.loads(STATE.read_text()).items() if name not in TYPES.values()}
    if os.environ.get("WRITE_STATE"):
        STATE.write_text(json.dumps(others | pickled, indent=2, sort_keys=True) + "\n")
    assert json.loads(STATE.read_text()) == others | pickled
    assert list(others) == ["NodeTurnProvider"], "in a state of tests/e2e/cluster/test_docker_life.py"
