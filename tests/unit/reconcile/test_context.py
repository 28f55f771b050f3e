"""One context a server, whichever thread comes first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from provisioner.jetstream.target import Credentials
from provisioner.reconcile.context import Context, close_all, context

THREADS = 8


@pytest.mark.parametrize("attempt", range(25))
def test_one_for_all_threads(attempt: int) -> None:
    """Pulumi calls from several threads at once, and what one call notes the others must see."""
    start = threading.Barrier(THREADS)

    def ask(_thread: int) -> Context:
        start.wait(5)
        return context(f"nats://server-{attempt}", None, Credentials())

    with ThreadPoolExecutor(THREADS) as pool:
        contexts = list(pool.map(ask, range(THREADS)))
    close_all()
    assert 1 == len({id(each) for each in contexts})
