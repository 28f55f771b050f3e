"""A client for each identity of a stack; for all of them the same where it has none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from provisioner.errors import ProvisionerError
from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from provisioner.services.model import PROVISIONER


class Logins:
    """The connections of one run, made when they are needed.

    Args:
        url: the server's.
        credentials: how to log in where there are no identities.
        identities: how each identity logs in.
        timeout: seconds for each first contact.

    Raises:
        ProvisionerError: the server cannot be reached, or does not let the provisioner in.
    """

    def __init__(
        self, url: str, credentials: Credentials, identities: Mapping[str, Credentials], timeout: float
    ) -> None:
        self._url, self._identities, self._timeout = url, identities, timeout
        self.manager = JetStream(url, identities.get(PROVISIONER, credentials), timeout)
        self._clients = {PROVISIONER: self.manager}

    @property
    def have_identities(self) -> bool:
        """Whether each service logs in as itself, and may do nothing else."""
        return bool(self._identities)

    def of(self, service: str) -> JetStream:
        """A service's client.

        Raises:
            ProvisionerError: the server does not let it in, or does not answer.
        """
        if not self.have_identities:
            return self.manager
        if service not in self._clients:
            if service not in self._identities:
                raise ProvisionerError(f"the stack has no identity {service}; make up gives it one")
            self._clients[service] = JetStream(self._url, self._identities[service], self._timeout)
        return self._clients[service]

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            with suppress(ProvisionerError):
                client.close()
