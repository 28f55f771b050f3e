"""Environment variables for the programs that are run, as changes to the present ones: pure."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, TypeAlias

from tools.stack_choice import COMMITTED, COMMITTED_SALT
from tools.subprocesses import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A variable's new value; None takes the variable away.
Changes: TypeAlias = "Mapping[str, str | None]"

# A stack's setting -> the variable in which ``streams`` looks for it: secrets never go on a command line. The names are
# those of provisioner.jetstream.target; tools/ runs before its packages are installed, so a test keeps the two equal.
LOGIN_VARIABLES = {
    "user": "NATS_USER",
    "password": "NATS_PASSWORD",
    "token": "NATS_TOKEN",
    "credentials": "NATS_CREDS",
    "nkey": "NATS_NKEY",
    "ca": "NATS_CA",
    "cert": "NATS_CERT",
    "key": "NATS_KEY",
    "inboxPrefix": "NATS_INBOX_PREFIX",
    "domain": "NATS_JS_DOMAIN",
    "apiPrefix": "NATS_JS_API_PREFIX",
}


# As provisioner.cli.smoke has it; a test keeps the two equal.
IDENTITIES = "STREAMS_IDENTITIES"
# As provisioner.services.model has it; a test keeps the two equal.
MONITORING = "monitoring"


def apply(changes: Changes, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the changes made."""
    merged = {**environment, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def exports(changes: Changes, environment: Mapping[str, str]) -> list[str]:
    """Return the changes as lines for a POSIX shell."""
    return [
        f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"
        for name, value in changes.items()
        if value is not None or name in environment
    ]


def search_path(first: Sequence[str], path: str) -> str:
    """Return PATH with these folders first and none twice, so that repeating it changes nothing."""
    return ":".join(dict.fromkeys([*first, *path.split(":")]))


def passphrase(stack: str, settings: str, inherited: str | None) -> str | None:
    """Return the passphrase that opens a stack; None when the environment is to hold none.

    Args:
        stack: the stack's name.
        settings: the text of Pulumi.<stack>.yaml.
        inherited: the value of PULUMI_CONFIG_PASSPHRASE. An empty one comes from a committed stack's
            environment, and must not become the passphrase of a stack of the user's own.
    """
    if stack in COMMITTED and f"encryptionsalt: {COMMITTED_SALT}" in settings:
        return ""
    return inherited or None


def status_target(outputs: Mapping[str, Any], settings: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the options and variables that point ``streams status`` at a stack's server.

    Raises:
        ToolError: the stack has no server yet.
    """
    if not outputs.get("url"):
        raise ToolError("The stack has no server yet: make up")
    urls = {"NATS_URL": outputs["url"], "NATS_MONITOR_URL": outputs.get("monitor_url") or ""}
    urls |= _as_monitoring(outputs.get("credentials") or {})
    login = {variable: settings[key] for key, variable in LOGIN_VARIABLES.items() if settings.get(key)}
    if outputs.get("ca"):  # of a server of the stack's own, whose certificate and key are not a client's
        login = {LOGIN_VARIABLES["ca"]: outputs["ca"]}
    options = [[f"--{key}", settings[key]] for key in ("catalogue", "replicas") if settings.get(key)]
    return [word for option in options for word in option], urls | login


def smoke_target(outputs: Mapping[str, Any], settings: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the same for ``streams smoke``, which is each of the stack's identities in turn.

    Raises:
        ToolError: the stack has no server yet.
    """
    options, variables = status_target(outputs, settings)
    named = ["--services", settings["services"]] if settings.get("services") else []
    credentials = outputs.get("credentials") or {}
    return [*options, *named], variables | ({IDENTITIES: json.dumps(credentials)} if credentials else {})


def _as_monitoring(credentials: Mapping[str, str]) -> dict[str, str]:
    """Return the login of a stack that has services: the identity that only looks."""
    text = credentials.get(MONITORING)
    return {**_login(text), LOGIN_VARIABLES["inboxPrefix"]: f"_INBOX_{MONITORING}"} if text else {}


def _login(text: str) -> dict[str, str]:
    """Return what an identity is handed as variables: a seed, a .creds file's text, or variables already."""
    if text.startswith("SU"):
        return {LOGIN_VARIABLES["nkey"]: text}
    if text.startswith("-----BEGIN"):
        return {LOGIN_VARIABLES["credentials"]: text}
    return dict(line.split("=", 1) for line in text.splitlines())


def deleted_streams(outputs: Mapping[str, Any], approved: str) -> list[str]:
    """Return the streams that a destroy deletes with their messages.

    Args:
        outputs: Those of the last up.
        approved: Names with commas: of the guarded streams that this run may delete.
    """
    streams: Mapping[str, Mapping[str, Any]] = outputs.get("streams") or {}
    names = {name.strip() for name in approved.split(",")}
    policies = {name: summary.get("on_delete") for name, summary in streams.items()}
    return [name for name, policy in policies.items() if policy == "delete" or (policy == "guard" and name in names)]
