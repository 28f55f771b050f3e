"""Whether Docker can be used at all, found out before anything is declared: one line instead of an hour."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

import pulumi

from provisioner.errors import ProvisionerError
from tools import docker_probe

_SHOWN_ID_LENGTH: Final = 12  # as docker ps shows it


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


def require_name(name: str, labels: Mapping[str, str]) -> None:
    """Refuse a container's name that another container has, which the engine would do halfway through an up.

    Args:
        name: The name of this stack's container.
        labels: The labels by which this stack's own container is known.

    Raises:
        ProvisionerError: says whose the name is, and what to do.
    """
    host = docker_probe.answering(_hosts())
    container = docker_probe.inspect_container(host, name) if host else None
    config = (container or {}).get("Config") or {}
    if container is None or labels.items() <= (config.get("Labels") or {}).items():
        return
    raise ProvisionerError(
        f"server docker: the name {name} is taken by container {str(container.get('Id'))[:_SHOWN_ID_LENGTH]} "
        f"(image {config.get('Image')}), which is not this stack's; "
        f"rename it (docker rename {name} OTHER) or remove it (docker rm --force {name})"
    )


def engine_answers() -> bool:
    """Tell whether there is a Docker engine where the plugin looks for one."""
    return docker_probe.answering(_hosts()) is not None


def _missing(what: str, remedy: str) -> ProvisionerError:
    return ProvisionerError(
        f"server docker: {what} ({remedy}); without Docker use the stack local: make up STACK=local"
    )


def _plugin_can_be_had() -> bool:
    """Tell whether the plugin is there, or Pulumi may fetch it: it does so by itself unless told not to."""
    may_fetch = os.environ.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "") in {"", "0", "false"}
    return may_fetch or docker_probe.plugin_installed()


def _hosts() -> list[str]:
    config = pulumi.Config("docker")
    return docker_probe.hosts(config.get("host"), config.get("context"))
