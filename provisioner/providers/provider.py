"""What all dynamic providers have in common."""

from __future__ import annotations

import os

from pulumi.dynamic import ConfigureRequest, ResourceProvider

from provisioner import log
from provisioner.jetstream.target import Credentials
from provisioner.providers.engine import credentials


class Provider(ResourceProvider):
    """A provider whose class is pickled by reference, and that logs in as the stack's settings say.

    Attributes:
        serialize_as_secret_always: a reference is no secret; as one it would cost an encryption a resource.
        credentials: the login, taken when Pulumi configures the process: that of the last up, until the program
            has run.
    """

    serialize_as_secret_always = False
    credentials = Credentials()

    def configure(self, req: ConfigureRequest) -> None:
        """Take the credentials, and start the log if there is to be one."""
        log.configure(os.environ)
        self.credentials = credentials(req.config.get)
