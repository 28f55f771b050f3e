"""Who may log in to the stack's own server: the services' file -> identities -> the server's users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi

from infra.settings import Settings, SettingsError
from provisioner.catalogue.files import read_text
from provisioner.catalogue.model import Catalogue
from provisioner.errors import ProvisionerError
from provisioner.resources.own_server import Identity, Operator
from provisioner.services.handing_out import handed_out
from provisioner.services.logins import Login, Nkey, Password, SigningKey
from provisioner.services.model import GLOBAL_ACCOUNT, LoginKind, Services
from provisioner.services.operator_block import operator_block
from provisioner.services.reader import read
from provisioner.services.server_block import accounts_block


@dataclass(frozen=True)
class Access:
    """The identities of a stack.

    Attributes:
        users: the part of the server's configuration that has them, with their public keys or hashes.
        credentials: what each identity is handed to log in with.
    """

    users: pulumi.Output[str]
    credentials: pulumi.Output[Mapping[str, str]]


def services_of(settings: Settings, catalogue: Catalogue) -> Services | None:
    """The services' file that the settings name; None where everybody may do everything.

    Raises:
        SettingsError: there is no such file.
        ServicesError: it has problems: one line each.
    """
    if settings.services is None:
        return None
    try:
        text = read_text(settings.services)
    except ProvisionerError as error:
        raise SettingsError(f"settings of stack {settings.stack}: services: {error}") from None
    return read(text, str(settings.services), catalogue)


def account_of(services: Services | None) -> str | None:
    """The account that the streams are in, where it is not the server's global one; of an operator, it is another."""
    if services is None or services.account.name == GLOBAL_ACCOUNT:
        return None
    return f"{services.account.name}{' with .creds' if services.login is LoginKind.CREDS else ''}"


def promised(services: Services | None) -> int:
    """Bytes of file store that the account may fill; 0 where it has no limit."""
    return max(services.account.limits.get("max_file", 0), 0) if services else 0


def declare(services: Services, catalogue: Catalogue, before: pulumi.Resource) -> Access:
    """Declare the identities, each with a key of its own.

    Args:
        services: who they are.
        catalogue: the streams that they speak of.
        before: what they depend on.
    """
    opts = pulumi.ResourceOptions(depends_on=[before])
    everybody = services.identities
    account = services.account_id if services.login is LoginKind.CREDS else None
    identities = {
        name: Identity(name, who.key, login=who.login, account=account, opts=opts) for name, who in everybody.items()
    }
    publics = pulumi.Output.all(**{name: identity.public for name, identity in identities.items()})
    secrets = pulumi.Output.all(**{name: identity.seed for name, identity in identities.items()})
    users = (
        _signed(services, catalogue, publics, opts) if account else publics.apply(partial(_users, services, catalogue))
    )
    return Access(users, pulumi.Output.secret(secrets.apply(partial(_texts, services))))


def _users(services: Services, catalogue: Catalogue, publics: Mapping[str, str]) -> str:
    return accounts_block(
        services, catalogue, {name: _login(services, name, public) for name, public in publics.items()}
    )


def _login(services: Services, name: str, public: str) -> Login:
    return Nkey(public) if services.identities[name].login is LoginKind.NKEY else Password(name, public)


def _signed(
    services: Services, catalogue: Catalogue, publics: pulumi.Output[dict[str, str]], opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """The same from an operator, whose seed is not in what it signs."""

    def sign(parts: Sequence[Any]) -> str:
        public, seed = parts
        return operator_block(services, catalogue, {name: SigningKey(key) for name, key in public.items()}, seed)

    return pulumi.Output.unsecret(pulumi.Output.all(publics, Operator("operator", opts).seed).apply(sign))


def _texts(services: Services, secrets: Mapping[str, str]) -> dict[str, str]:
    return {name: handed_out(name, services.identities[name].login, secret) for name, secret in secrets.items()}
