"""What a service is handed so that it can log in: the text of one file, and how a client uses it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from provisioner.jetstream.target import Credentials
from provisioner.services.model import LoginKind, inbox_prefix

USER: Final = "NATS_USER"
PASSWORD: Final = "NATS_PASSWORD"
INBOX_PREFIX: Final = "NATS_INBOX_PREFIX"

# What the text begins with -> how the nats command takes the file.
_USES: Final = {
    "SU": "nats --nkey {file} --inbox-prefix {prefix}",
    "-----BEGIN": "nats --creds {file} --inbox-prefix {prefix}",
    USER: "set -a; . {file}; nats --inbox-prefix {prefix}",
}


def handed_out(name: str, login: LoginKind, secret: str) -> str:
    """The text that an identity is handed: a seed, .creds, or variables for its environment."""
    if login is not LoginKind.PASSWORD:
        return secret
    variables = {USER: name, PASSWORD: secret, INBOX_PREFIX: inbox_prefix(name)}
    return "\n".join(f"{variable}={value}" for variable, value in variables.items())


def use_of(name: str, text: str, file: str) -> str:
    """The line with which a client uses the file with that text."""
    use = next(use for begin, use in _USES.items() if text.startswith(begin))
    return use.format(file=file, prefix=inbox_prefix(name))


def credentials_of(name: str, text: str, shared: Credentials) -> Credentials:
    """How an identity logs in with what it was handed; ``shared`` has the certificates that everybody trusts."""
    trusting = Credentials(ca=shared.ca, trusted=shared.trusted, inbox_prefix=inbox_prefix(name))
    if text.startswith("SU"):
        return replace(trusting, nkey=text)
    if text.startswith("-----BEGIN"):
        return replace(trusting, credentials=text)
    values = dict(line.split("=", 1) for line in text.splitlines())
    return replace(trusting, user=values.get(USER), password=values.get(PASSWORD))
