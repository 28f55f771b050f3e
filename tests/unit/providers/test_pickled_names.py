"""The names under which the providers stand in every state: a stack that is up needs them to go on."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import dill
import pytest

from provisioner.providers.authority import AuthorityProvider
from provisioner.providers.consumer import ConsumerProvider
from provisioner.providers.encryption import EncryptionKeyProvider
from provisioner.providers.estate import EstateProvider
from provisioner.providers.identity import IdentityProvider
from provisioner.providers.node_turn import NodeTurnProvider
from provisioner.providers.operator import OperatorProvider
from provisioner.providers.server_process import ServerProcessProvider
from provisioner.providers.store import StoreProvider
from provisioner.providers.stream import StreamProvider

# Written by ``tests/e2e/test_pickled_names.py``, from a state of the real engine.
STATE = Path(__file__).parents[2] / "fixtures" / "providers.json"


@pytest.mark.parametrize(
    "provider",
    [
        StreamProvider,
        ConsumerProvider,
        ServerProcessProvider,
        EstateProvider,
        StoreProvider,
        IdentityProvider,
        OperatorProvider,
        EncryptionKeyProvider,
        AuthorityProvider,
        NodeTurnProvider,
    ],
)
def test_a_committed_state_still_loads(provider: type) -> None:
    """Pulumi unpickles a resource's provider from the state before it can read, update or delete it."""
    pickled = json.loads(STATE.read_text())[provider.__name__]
    assert provider is type(dill.loads(base64.b64decode(pickled)))  # noqa: S301 - our own file
