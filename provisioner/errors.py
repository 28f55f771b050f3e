"""The errors a user can meet, each one line of text.

ProvisionerError
├── CatalogueError          the catalogue has mistakes (every one of them listed)
├── ServicesError           the services' file or their logins have mistakes (every one of them listed)
├── Unreachable             no answer from the server within the deadline
│   └── NobodyListens       each of its addresses refuses the connection
├── Refused                 the server does not let these credentials do this
│   ├── LoginRefused        the server does not accept these credentials at all
│   └── JetStreamOff        nobody serves the JetStream API: off on the server or for the account
├── ApiError                JetStream answered with an error code
├── InvalidAnswer           what answered is not JetStream
├── Conflict                what is there is not what the catalogue says, and may not be touched
└── BackupError             a stream could not be written to disk or brought back, whole
"""

from __future__ import annotations

from typing import Final

# nats-server's JetStream error codes that need an answer of their own.
STREAM_NOT_FOUND: Final = 10059
CONSUMER_NOT_FOUND: Final = 10014
MESSAGE_NOT_FOUND: Final = 10037
WRONG_LAST_SEQUENCE: Final = 10071
WRONG_LAST_SEQUENCE_IN_CLUSTER: Final = 10164
NAME_IN_USE: Final = 10058
NAME_IN_USE_AT_RESTORE: Final = 10130
SUBJECTS_OVERLAP: Final = 10065
INVALID_CONFIG: Final = 10052
STORE_NOT_CREATED: Final = 10049
NO_STORAGE: Final = 10047
NO_MEMORY: Final = 10028
NO_RESOURCES: Final = 10023
NO_ROOM_FOR_ACCOUNT: Final = 10002
MAX_BYTES_REQUIRED: Final = 10113
JETSTREAM_OFF: Final = 10076
JETSTREAM_OFF_FOR_ACCOUNT: Final = 10039
NO_META_LEADER: Final = 10008
NO_PEERS: Final = 10005
STREAM_OFFLINE: Final = 10118
REPLICAS_ON_ONE_SERVER: Final = 10074
MAX_STREAMS: Final = 10027
UNKNOWN_FIELD: Final = 10025


class ProvisionerError(Exception):
    """Base of all: ``str(error)`` is what the user reads."""


class CatalogueError(ProvisionerError):
    """The catalogue has mistakes; the text has one line for each."""


class ServicesError(ProvisionerError):
    """The services' file or the logins have mistakes; the text has one line for each."""


class Unreachable(ProvisionerError):
    """The server gave no answer within the deadline."""


class NobodyListens(Unreachable):
    """Each of the server's addresses refuses the connection: it does not run."""


class Refused(ProvisionerError):
    """The server answered, and does not let these credentials do this."""


class LoginRefused(Refused):
    """The server does not accept the credentials, or there are none to be had."""


class JetStreamOff(Refused):
    """Nobody serves JetStream's API here."""


class InvalidAnswer(ProvisionerError):
    """What answered does not speak JetStream's API."""


class Conflict(ProvisionerError):
    """The server holds something the catalogue does not describe and may not overwrite."""


class BackupError(ProvisionerError):
    """A backup or a restore failed, and nothing half done is left, unless the text says so."""


class ApiError(ProvisionerError):
    """JetStream's own error.

    Attributes:
        code: nats-server's ``err_code``.
        description: nats-server's words.
    """

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code
        self.description = description
