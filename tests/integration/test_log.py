"""A run's log on a real server: every request, and never a secret or a payload."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.configurations import config
from tests.support.jwt import operator
from tests.support.nats_server import running

ROOT = Path(__file__).parents[2]
PAYLOAD = "m4rked-payload"
PASSWORD, TOKEN = "s3cret-password", "s3cret-token"


@pytest.mark.parametrize("way", ["password", "token", "credentials"])
def test_no_secret_and_no_payload(tmp_path: Path, way: str) -> None:
    """Backup, verify, restore and status at debug show their requests, and nothing that is not theirs to show."""
    managed = operator()
    server_config = {
        "password": f'authorization {{ user: ann, password: "{PASSWORD}" }}',
        "token": f'authorization {{ token: "{TOKEN}" }}',
        "credentials": managed.config,
    }[way]
    login = {
        "password": Credentials(user="ann", password=PASSWORD),
        "token": Credentials(token=TOKEN),
        "credentials": Credentials(credentials=managed.creds),
    }[way]
    with running(tmp_path / "nats", server_config) as server:
        client = JetStream(server.url, login)
        client.create(config("ORDERS", subjects=["o.>"]))
        client.connection.request("o.1", PAYLOAD.encode())
        variables = {"NATS_USER": login.user, "NATS_PASSWORD": login.password, "NATS_TOKEN": login.token}
        environment = {name: value for name, value in variables.items() if value} | {
            "NATS_URL": server.url, "NATS_CREDS": login.credentials or "", "STREAMS_LOG": "debug",
        }  # fmt: skip
        logs = [_log(environment, "backup", "--to", str(tmp_path / "to"))]
        client.delete("ORDERS")
        logs += [_log(environment, *command) for command in (("restore", str(tmp_path / "to")), ("status",))]
        client.close()

    everything = "\n".join(logs)
    for pattern in (
        r"INFO provisioner.jetstream.connection: nats://127.0.0.1:\d+: connected, nats-server \d",
        r"DEBUG provisioner.jetstream.connection: \$JS.API.STREAM.INFO.ORDERS: \d+ bytes in \d+\.\d ms",
        r"DEBUG provisioner.jetstream.answers: error 10059",
        r"INFO provisioner.backup.archive: ORDERS: backup complete: 1 messages, \d+ bytes",
        r"INFO provisioner.backup.restore: ORDERS: restore complete: 1 messages",
    ):
        assert re.search(pattern, everything), pattern
    seed = re.search(r"SU[A-Z0-9]{50,}", managed.creds)
    jwt = re.search(r"eyJ[\w.-]+", managed.creds)
    assert seed
    assert jwt
    for secret in (PAYLOAD, PASSWORD, TOKEN, seed[0], jwt[0]):
        assert secret not in everything


def _log(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "provisioner", *arguments],
        check=False, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr
