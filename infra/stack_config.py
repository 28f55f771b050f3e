"""The configuration of the stack that runs, as Pulumi has it: the only place that reads ``pulumi.Config``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

import pulumi

from infra.settings import SettingsError

# A login is a secret; a path to one is none.
SECRETS: Final = {
    "password": re.compile(""),
    "token": re.compile(""),
    "credentials": re.compile("-----BEGIN"),
    "nkey": re.compile(r"^\s*SU[A-Z2-7]{20}"),
    "encryptionKey": re.compile(""),
}


def configuration() -> dict[str, str]:
    """The configuration of the stack that is running, without the project's namespace."""
    namespace = f"{pulumi.get_project()}:"
    # Config has no way to list its keys; these two are where it looks.
    known = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    return {key.removeprefix(namespace): str(value) for key, value in known.items() if key.startswith(namespace)}


def secret_keys() -> set[str]:
    """The settings of the running stack that were set with ``--secret``, without the project's namespace."""
    namespace = f"{pulumi.get_project()}:"
    return {key.removeprefix(namespace) for key in configuration_keys() if pulumi.runtime.config.is_config_secret(key)}


def configuration_keys() -> set[str]:
    """Every key of the running stack's configuration."""
    return {*pulumi.runtime.config.get_config_env(), *pulumi.runtime.config.CONFIG.get()}


def require_secret(raw: Mapping[str, str], secret: Collection[str], stack: str) -> None:
    """Refuse a login in clear: Pulumi keeps the configuration in the state, as it stands in the settings file.

    Raises:
        SettingsError: every setting that has to be encrypted, one line each.
    """
    shown = {key: sign for key, sign in SECRETS.items() if key in raw and key not in secret}
    clear = [key for key, sign in shown.items() if sign.search(raw[key])]
    if clear:
        raise SettingsError(
            "\n".join(
                f"settings of stack {stack}: {key}: is in clear; encrypt it: pulumi config set --secret {key}"
                for key in clear
            )
        )
