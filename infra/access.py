"""Who may log in to the stack's own server: the services' file -> identities -> the server's users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pulumi

from infra.settings import Settings, SettingsError
from provisioner.catalogue.files import read_text
from provisioner.catalogue.model import Catalogue
from provisioner.errors import ProvisionerError
from provisioner.providers.identity import Identity
from provisioner.services.logins import Nkey
from provisioner.services.model import GLOBAL_ACCOUNT, Services
from provisioner.services.reader import read
from provisioner.services.server_block import accounts_block


@dataclass(frozen=True)
class Access:
    """The identities of a stack.

    Attributes:
        users: the part of the server's configuration that has them, with their public keys.
        seeds: each identity's secret key.
    """

    users: pulumi.Output[str]
    seeds: pulumi.Output[Mapping[str, str]]


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
    """The account that the streams are in, where it is not the server's global one."""
    return services.account.name if services and services.account.name != GLOBAL_ACCOUNT else None


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
    identities = {name: Identity(name, key, opts) for name, key in services.keys.items()}
    publics = pulumi.Output.all(**{name: identity.public for name, identity in identities.items()})
    seeds = pulumi.Output.all(**{name: identity.seed for name, identity in identities.items()})
    return Access(publics.apply(partial(_users, services, catalogue)), pulumi.Output.secret(seeds))


def _users(services: Services, catalogue: Catalogue, publics: Mapping[str, str]) -> str:
    return accounts_block(services, catalogue, {name: Nkey(public) for name, public in publics.items()})
