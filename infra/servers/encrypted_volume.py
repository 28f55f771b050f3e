"""How a volume's data is encrypted: its label says so, for a stack that has lost its state, and the key with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi

from infra.servers import container
from provisioner.docker_engine.holdings import ENCRYPTION_LABEL, VOLUME, DockerPlace, holdings, of_kind

if TYPE_CHECKING:
    from infra.settings import Settings

_NOT_AT_ALL: Final = "not encrypted"


def labels(settings: Settings, key: pulumi.Output[str] | None) -> dict[str, pulumi.Input[str]]:
    """What a new volume says of its data: the cipher and, of the key, 48 bits of its SHA-256."""
    if key is None:
        return {}
    return {ENCRYPTION_LABEL: pulumi.Output.unsecret(key.apply(lambda key: _said(settings.encryption, key)))}


def key_problem(settings: Settings, where: DockerPlace) -> str | None:
    """Why the volumes that are there cannot be used without the state that knows their key; None where they can."""
    engine, wanted = where.engine(), _said(settings.encryption, settings.encryption_key)
    for volume in of_kind(VOLUME, holdings(engine, where)) if engine else ():
        found = (volume.detail.get("Labels") or {}).get(ENCRYPTION_LABEL, _NOT_AT_ALL)
        if found != wanted:
            return (
                f"volume {volume.name} is there already, {found}; the settings say {wanted}, and nats-server would not "
                "find what is in it, or could lose it. Give the encryption and the key that it has (pulumi config set "
                f"--secret encryptionKey), or remove it: docker volume rm {volume.name}"
            )
    return None


def _said(cipher: str | None, key: str | None) -> str:
    if cipher is None:
        return _NOT_AT_ALL
    return f"{cipher} with {f'the key {container.digest(key)}' if key else 'a new key'}"
