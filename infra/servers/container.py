"""What a container with a nats-server runs, and what it may do: nothing beyond that.

It is not root, has no capability, can get none, and writes to nothing but its volume and memory. So the configuration
cannot be a file that is uploaded: Docker refuses that where the root file system is read-only. It is handed over in
the environment, from which the shell writes it into memory; it holds no secret, but public keys and permissions.
"""

from __future__ import annotations

import hashlib
import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from infra.servers.nats_conf import Tls
from provisioner.docker_engine.hardening import USER
from provisioner.local_server.server_dir import CA_FILE, PAIR_FILE
from provisioner.local_server.supervisor import KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from infra.settings import Settings

CONFIG_FILE: Final = "/dev/shm/nats.conf"  # noqa: S108 - the container's own, in memory
_SECRETS: Final = "/etc/nats-{}"
KEY_FILE: Final = _SECRETS.format("key")
_CONFIG_VARIABLE: Final = "NATS_CONFIG"
# The kernel takes no more than 128 KiB in one variable; a character has at most four bytes.
_PART_LENGTH: Final = 30_000
_MOST_PARTS: Final = 16
_MIB: Final = 1024**2
# Of the memory limit, for Go's garbage collector to keep to: what it frees late counts too.
_GO_SHARE: Final = 0.9
CLIENT_PORT: Final = 4222
MONITOR_PORT: Final = 8222
# A server listens to clients as soon as JetStream is up, and only then. With TLS it is not asked: busybox's own TLS
# and Go's do not understand each other, and a connection that ends before the handshake is an error in the log.
_LISTENS: Final = f"grep -qsE ':{CLIENT_PORT:04X} 0+:0000 0A ' /proc/net/tcp /proc/net/tcp6"


# /healthz says ok of a server without JetStream, and not of a node before its cluster is complete; /jsz names the
# store as soon as JetStream is up, and only then.
def health(*, tls: bool) -> dict[str, Any]:
    """The check that tells the engine whether the server serves."""
    return checked(_LISTENS if tls else f"timeout 3 wget -qO- http://127.0.0.1:{MONITOR_PORT}/jsz | grep -q store_dir")


# Quick until it is healthy for the first time, then every 30 s: engines before 25 have no interval for the start, so
# the check itself waits. /dev/shm is empty after each start. Durations are in Go's canonical form: "60s" would be a
# difference for ever.
def checked(asks: str) -> dict[str, Any]:
    """A check with a command that ends well once the container serves."""
    return {
        "tests": [
            "CMD-SHELL",
            f"if [ -e /dev/shm/healthy ]; then sleep 29; fi; {asks} && touch /dev/shm/healthy",
        ],
        "interval": "1s",
        "timeout": "40s",
        "start_period": "1m0s",
        "retries": 3,
    }


def privileges(*, owns_volume: bool) -> dict[str, Any]:
    """What the container may do.

    Args:
        owns_volume: whether the volume can be given to its user. Where the engine answers the docker plugin alone,
            it cannot, and root stays, with the one capability to write what is another's.
    """
    able: dict[str, list[str]] = {"drops": ["ALL"]} if owns_volume else {"drops": ["ALL"], "adds": ["CAP_DAC_OVERRIDE"]}
    return {
        "user": USER if owns_volume else None,
        "read_only": True,
        "capabilities": able,
        "security_opts": ["no-new-privileges:true"],
    }


def limits(settings: Settings) -> dict[str, Any]:
    """How much the container may use; no swap, as a server that swaps answers nobody."""
    memory = settings.memory // _MIB if settings.memory else None
    return {"memory": memory, "memory_swap": memory, "cpus": settings.cpus}


def described(settings: Settings) -> str:
    """The limits in words."""
    memory = f"{settings.memory // _MIB} MiB" if settings.memory else "the engine's"
    return f"memory {memory}, cpus {settings.cpus or 'all'}, pids {settings.pids}"


def max_memory_store(settings: Settings) -> int | None:
    """Bytes that streams in memory may have: half of the limit; None without one, for the server's own default."""
    return settings.memory // 2 if settings.memory else None


def tls_files() -> Tls:
    """Where the server finds what it shows."""
    pair = _SECRETS.format(PAIR_FILE)
    return Tls(ca=_SECRETS.format(CA_FILE), cert=pair, key=pair)


def uploads(key: pulumi.Output[str] | None, shown: pulumi.Output[Mapping[str, str]] | None) -> dict[str, Any]:
    """The secrets in files: the engine shows a container's environment to whoever asks, and no uploaded file.

    Docker uploads nothing where the root file system is read-only. What runs there is not root, and cannot write to it.

    Args:
        key: the key of the data.
        shown: certificate and private key, and the CA, by the names of their files.
    """
    files: dict[str, pulumi.Output[str]] = {}
    if key is not None:
        files[KEY_FILE] = key.apply(json.dumps)
    if shown is not None:
        files |= {_SECRETS.format(name): shown.apply(itemgetter(name)) for name in (PAIR_FILE, CA_FILE)}
    if not files:
        return {}
    return {"uploads": [{"file": file, "content": content} for file, content in files.items()], "read_only": False}


def command(*, has_key: bool = False) -> list[str]:
    """Write the configuration into memory, and become the server, which does not inherit it."""
    parts = " ".join(f'"${{{_variable(number)}-}}"' for number in range(_MOST_PARTS))
    forget = " ".join(map(_variable, range(_MOST_PARTS)))
    key = f'export {KEY_VARIABLE}="$(cat {KEY_FILE})"; ' if has_key else ""
    return [
        f"umask 077; printf %s {parts} >{CONFIG_FILE}; unset {forget}; {key}exec nats-server --config {CONFIG_FILE}",
    ]


def environment(config: str, settings: Settings) -> list[str]:
    """The container's environment.

    Raises:
        ValueError: the configuration is too long to be handed over.
    """
    parts = [config[start : start + _PART_LENGTH] for start in range(0, len(config), _PART_LENGTH)]
    if len(parts) > _MOST_PARTS:
        most = _MOST_PARTS * _PART_LENGTH
        raise ValueError(f"server docker: its configuration has {len(config)} characters, more than {most}")
    variables = [f"{_variable(number)}={part}" for number, part in enumerate(parts)]
    if settings.memory:
        variables.append(f"GOMEMLIMIT={int(settings.memory * _GO_SHARE)}")
    return variables


def labels(settings: Settings) -> dict[str, str]:
    """What replaces the container when it changes: of the properties themselves, a change would be ignored."""
    return {
        "prediction-streams.healthcheck": digest(json.dumps(health(tls=bool(settings.tls)), sort_keys=True)),
        "prediction-streams.pids": str(settings.pids),
    }


def digest(text: str) -> str:
    """What tells one text from the next."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _variable(number: int) -> str:
    return f"{_CONFIG_VARIABLE}_{number}"
