"""The first values of a bucket: made where a key has never been, never overwritten."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Final

from provisioner.errors import (
    NO_RESOURCES,
    NO_ROOM_FOR_ACCOUNT,
    WRONG_LAST_SEQUENCE,
    WRONG_LAST_SEQUENCE_IN_CLUSTER,
    ApiError,
    JetStreamOff,
    ProvisionerError,
    Unreachable,
)
from provisioner.jetstream.election import ELECTION_TIMEOUT_S
from provisioner.reconcile.context import Context
from provisioner.schema.stores import BUCKETS

_LOG: Final = logging.getLogger(__name__)

_NOT_THE_FIRST: Final = (WRONG_LAST_SEQUENCE, WRONG_LAST_SEQUENCE_IN_CLUSTER)
_PAUSE_S: Final = 0.2
_FULL: Final = {
    NO_RESOURCES: "the server has no more room; give it some, and run pulumi up again",
    NO_ROOM_FOR_ACCOUNT: "the account has no more room; give it some, and run pulumi up again",
}
_ONLY_THE_FIRST: Final = {"Nats-Expected-Last-Subject-Sequence": "0"}


def sow(context: Context, bucket: str, seed: Mapping[str, str]) -> None:
    """Give keys their first values; one that has a value, or whose deletion the bucket still knows, is left alone.

    Raises:
        ProvisionerError: the server refuses a value for another reason.
        Unreachable, Refused: nobody takes it, for longer than an election takes; or this user may not publish it.
    """
    for key, value in sorted(seed.items()):
        said = f"{BUCKETS.stream_of(bucket)}: seed {key}"
        try:
            _publish(context, f"$KV.{bucket}.{key}", value.encode())
        except ApiError as error:
            if error.code not in _NOT_THE_FIRST:
                why = f": {_FULL[error.code]}" if error.code in _FULL else ""
                raise ProvisionerError(f"{said}: {error}{why}") from error
            _LOG.debug("%s: %s is there already", bucket, key)
        except ProvisionerError as error:
            raise type(error)(f"{said}: {error}") from error


def _publish(context: Context, subject: str, value: bytes) -> None:
    """In a cluster, not every node knows of a new stream when it is there; asked twice, the server takes it once."""
    deadline = time.monotonic() + (ELECTION_TIMEOUT_S if context.client().cluster != "" else 0)
    while True:
        try:
            context.client().publish(subject, value, _ONLY_THE_FIRST)
        except (JetStreamOff, Unreachable):
            if time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(_PAUSE_S)
