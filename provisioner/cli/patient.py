"""Figures for whoever asks, in time: a cluster without a leader takes longer for its answer than a scrape waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from provisioner.errors import ProvisionerError
from provisioner.log import tell
from provisioner.watching.samples import Sample


class Patient:
    """Asks once at a time, however many want to know.

    Args:
        take: takes the figures.
        patience_s: seconds after which whoever asks gets the last figures that there are; they say how old they are.
    """

    def __init__(self, take: Callable[[], Iterable[Sample]], patience_s: float) -> None:
        self._take, self._patience_s = take, patience_s
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._figures: Sequence[Sample] = ()

    def __call__(self) -> Sequence[Sample]:
        """The figures; none, for which there is an alert, where they cannot be had."""
        with self._lock:
            if not (self._asking and self._asking.is_alive()):
                self._asking = threading.Thread(target=self._ask, daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(self._patience_s)
        return self._figures

    def _ask(self) -> None:
        try:
            self._figures = tuple(self._take())
        except ProvisionerError as error:
            tell(str(error))
            self._figures = ()
