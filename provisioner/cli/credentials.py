"""``streams credentials``: hand one service the key with which it logs in."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from provisioner.errors import ProvisionerError
from provisioner.log import tell
from provisioner.services.model import inbox_prefix
from provisioner.text import did_you_mean

_QUESTION: Final = ("stack", "output", "credentials", "--json", "--show-secrets")
_TIMEOUT_S: Final = 60.0  # the state may be far away
_OWNER_ONLY: Final = 0o600


def run(options: argparse.Namespace) -> int:
    """Write a service's seed to a file that only its owner reads, or to standard output."""
    seeds = _seeds()
    if options.name not in seeds:
        raise ProvisionerError(f"{options.name}: is no service of this stack{did_you_mean(options.name, seeds)}")
    if options.to is None:
        print(seeds[options.name])
        return 0
    _write(options.to, f"{seeds[options.name]}\n")
    ca = _trusted(options.to)
    tell(f"{options.to}: nats --nkey {options.to}{ca} --inbox-prefix {inbox_prefix(options.name)}")
    return 0


def _trusted(beside: Path) -> str:
    """The option with the CA of a server that speaks TLS, in a file of its own beside the key."""
    certificates = json.loads(_asked("stack", "output", "--json").stdout or "{}").get("ca")
    if not certificates:
        return ""
    file = beside.with_name(f"{beside.name}.ca.pem")
    _write(file, certificates)
    return f" --tlsca {file}"


def _seeds() -> Mapping[str, str]:
    """Each identity's seed, from the stack's state.

    Raises:
        ProvisionerError: Pulumi cannot be asked, or the stack has no services.
    """
    ran = _asked(*_QUESTION)
    seeds: Mapping[str, str] = json.loads(ran.stdout) if ran.returncode == 0 else {}
    if not seeds:
        reason = next((line for line in ran.stderr.splitlines() if line.startswith("error:")), "error: it has none")
        raise ProvisionerError(
            f"the selected stack hands out no credentials: {reason.removeprefix('error: ')}; the setting services "
            'makes them, and eval "$(make -s shell-env)" lets this shell ask for them'
        )
    return seeds


def _asked(*question: str) -> subprocess.CompletedProcess[str]:
    """What pulumi answers about the selected stack: JSON, where it succeeds.

    Raises:
        ProvisionerError: it cannot be asked.
    """
    command = ["pulumi", *question, "--non-interactive"]
    try:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        json.loads(ran.stdout if ran.returncode == 0 else "{}")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ProvisionerError(f"pulumi cannot be asked for the stack's credentials: {type(error).__name__}") from error
    return ran


def _write(file: Path, text: str) -> None:
    """Replace a file by one that nobody else could read, not even for a moment."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as writing:
        writing.write(text)
    part.replace(file)
