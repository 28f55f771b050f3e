"""Whether Docker can be used at all, found out before anything is declared: one line instead of an hour."""

from __future__ import annotations

import os

import pulumi

from provisioner.docker_engine import api
from provisioner.errors import ProvisionerError
from tools import docker_probe


def require_docker() -> None:
    """Refuse to go on without Pulumi's docker plugin or without an engine.

    Raises:
        ProvisionerError: says which of the two is missing, what to do, and that there is the `local` stack.
    """
    if not _plugin_can_be_had():
        raise _missing("Pulumi's docker plugin is not installed", "pulumi plugin install resource docker")
    if not engine_answers():
        where = " or ".join(_hosts())
        raise _missing(f"no Docker engine answers at {where}", "start it or set DOCKER_HOST")


def engine_answers() -> bool:
    """Tell whether there is a Docker engine where the plugin looks for one."""
    return api.answering(_hosts()) is not None


def docker_setting(key: str) -> str | None:
    """A setting of the docker plugin's own."""
    return pulumi.Config("docker").get(key)


def _missing(what: str, remedy: str) -> ProvisionerError:
    return ProvisionerError(
        f"server docker: {what} ({remedy}); without Docker use the stack local: make up STACK=local"
    )


def _plugin_can_be_had() -> bool:
    """Tell whether the plugin is there, or Pulumi may fetch it: it does so by itself unless told not to."""
    may_fetch = os.environ.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "") in {"", "0", "false"}
    return may_fetch or docker_probe.plugin_installed()


def _hosts() -> list[str]:
    return api.hosts(docker_setting("host"), docker_setting("context"))
