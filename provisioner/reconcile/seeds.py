"""The first values of a bucket: made where a key has never been, never overwritten."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from provisioner.errors import ApiError
from provisioner.reconcile.context import Context
from provisioner.schema.stores import BUCKETS

_LOG: Final = logging.getLogger(__name__)

# nats-server's codes for a message that is not the first of its subject, of one server and of a cluster.
_NOT_THE_FIRST: Final = (10071, 10164)
_ONLY_THE_FIRST: Final = {"Nats-Expected-Last-Subject-Sequence": "0"}


def sow(context: Context, bucket: str, seed: Mapping[str, str]) -> None:
    """Give keys their first values; one that has a value, or whose deletion the bucket still knows, is left alone.

    Raises:
        ApiError: the server refuses a value for another reason.
    """
    for key, value in seed.items():
        try:
            context.client().publish(f"$KV.{bucket}.{key}", value.encode(), _ONLY_THE_FIRST)
        except ApiError as error:
            if error.code not in _NOT_THE_FIRST:
                raise ApiError(error.code, f"{BUCKETS.stream_of(bucket)}: seed {key}: {error.description}") from error
            _LOG.debug("%s: %s is there already", bucket, key)
