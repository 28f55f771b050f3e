"""How the text of a setting is read: each returns its value or raises a ValueError that says what to write."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from provisioner.errors import LoginRefused
from provisioner.jetstream import login
from provisioner.jetstream.target import monitor_urls, server_urls
from provisioner.text import did_you_mean
from provisioner.units import parse_duration, parse_size

Parser: TypeAlias = Callable[[str], object]

DOCKER: Final = "docker"
PROCESS: Final = "process"
EXTERNAL: Final = "external"
SERVERS: Final = (DOCKER, PROCESS, EXTERNAL)
MAX_PORT: Final = 65_535
MIN_MEMORY: Final = 64 * 1024**2
MIN_PIDS: Final = 64
MAX_PIDS: Final = 4_194_304  # the kernel's own
_MIB: Final = 1024**2
ALWAYS: Final = "always"
CIPHERS: Final = ("chachapoly", "aes")
_SHORTEST_KEY: Final = 32
_MILLISECOND: Final = parse_duration("1ms")


@dataclass(frozen=True)
class Setting:
    """One setting: its key, how its text is read, its default and the servers it applies to."""

    key: str
    parse: Parser
    default: str | None
    servers: tuple[str, ...]
    doc: str


def choice(*values: str) -> Parser:
    """One of ``values``, letter for letter."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"{text!r} is none of {', '.join(values)}{did_you_mean(text, values)}")
        return text

    return parse


def port(text: str) -> int:
    """A TCP port that a client can connect to: 1 to 65535."""
    if not (text.isdecimal() and 1 <= int(text) <= MAX_PORT):
        raise ValueError(f"{text!r} is not a port; write a number from 1 to 65535")
    return int(text)


def ports(text: str) -> tuple[int, ...]:
    """One port, or one for each node of a cluster with commas between."""
    return tuple(port(part.strip()) for part in text.split(","))


def number(*allowed: int) -> Parser:
    """One of a few whole numbers."""

    def parse(text: str) -> int:
        if text not in map(str, allowed):
            raise ValueError(f"{text!r} is none of {', '.join(map(str, allowed))}")
        return int(text)

    return parse


def switch(text: str) -> bool:
    """Whether something is on."""
    if text not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def counting_number(text: str) -> int:
    """A whole number above zero."""
    if not (text.isdecimal() and int(text)):
        raise ValueError(f"{text!r} is not a whole number from 1")
    return int(text)


def address(text: str) -> str:
    """An IP address of this machine; Docker publishes no ports on names."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address; write one like 127.0.0.1") from None


def size(text: str) -> int:
    """A size above zero, in bytes."""
    if (parsed := parse_size(text)) == 0:
        raise ValueError("0 leaves no room for any stream; write a size like 24GiB")
    return parsed


def memory(text: str) -> int:
    """A memory limit in bytes: whole MiB, and no less than a server needs to start."""
    if (parsed := parse_size(text)) < MIN_MEMORY or parsed % _MIB:
        raise ValueError(f"{text!r} is not a limit of whole MiB, and at least 64; write a size like 2GiB")
    return parsed


def cpus(text: str) -> str:
    """A number of CPUs above zero, of which there are hundredths, as Docker writes it."""
    if not (re.fullmatch(r"\d{1,4}(\.\d{1,2})?", text) and float(text)):
        raise ValueError(f"{text!r} is not a number of CPUs; write one like 1.5")
    return f"{float(text):g}"


def pids(text: str) -> int:
    """A number of processes and threads; with fewer nats-server may end in the middle of its work."""
    if not (text.isdecimal() and MIN_PIDS <= int(text) <= MAX_PIDS):
        raise ValueError(f"{text!r} is not a number from {MIN_PIDS} to {MAX_PIDS}")
    return int(text)


def server_url(text: str) -> str:
    """One or more servers of a cluster, with commas between; credentials have settings of their own."""
    return server_urls(text, "the settings user and password, or token")


def monitor_url(text: str) -> str:
    """The HTTP monitoring of one or more servers, with commas between."""
    return monitor_urls(text, "the server's configuration: its monitoring has no login")


def path(value: str) -> str:
    """The path of a PEM file; a text that was meant to be in it is not repeated."""
    if "-----BEGIN" in value:
        raise ValueError("is the text of a file; give the file's path")
    return text(value)


def inbox_prefix(value: str) -> str:
    """What the subjects of answers begin with."""
    try:
        return login.inbox_prefix(text(value)) or ""
    except LoginRefused as error:
        raise ValueError(str(error).partition(": ")[2]) from None


def encryption(value: str) -> str | None:
    """One of nats-server's ciphers; None for none."""
    return None if choice("none", *CIPHERS)(value) == "none" else value


def encryption_key(value: str) -> str:
    """A key that nobody finds by trying; it is not repeated."""
    if len(value.strip()) < _SHORTEST_KEY:
        raise ValueError(f"is shorter than {_SHORTEST_KEY} characters; make one: openssl rand -hex 32")
    return value.strip()


def text(value: str) -> str:
    """Any text but an empty one."""
    if not value.strip():
        raise ValueError("is empty; give it a value or remove it")
    return value


def sync_interval(value: str) -> str:
    """``always``, or a duration, which nats-server reads in Go's units: it has no days."""
    if value == ALWAYS:
        return value
    try:
        milliseconds = parse_duration(value) // _MILLISECOND
    except ValueError:
        milliseconds = 0
    if milliseconds <= 0:
        raise ValueError(f"{value!r} is neither always nor a duration of a millisecond or more; write it like 2m")
    return f"{milliseconds}ms"
