"""What a fault test did and found, as figures that the run's summary shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

PROPERTY = "faults"
Record = Callable[[str, object], None]  # pytest's record_property


@dataclass
class Figures:
    """One test's figures; each is printed by its own name.

    Attributes:
        faults: how many happened.
        acknowledged: messages that the server acknowledged to the publishers.
        lost: acknowledged messages that are missing from a stream that should have them.
        converged: how many times one `up` was enough afterwards.
    """

    faults: int = 0
    acknowledged: int = 0
    lost: int = 0
    converged: int = 0

    def count_lost(self, missing: dict[str, list[int]]) -> None:
        """Add missing messages, of which there must be none."""
        self.lost += sum(map(len, missing.values()))
        assert not any(missing.values()), f"acknowledged messages are missing: {missing}"

    def record(self, record_property: Record) -> None:
        """Hand them to the summary."""
        record_property(PROPERTY, ", ".join(f"{name} {value}" for name, value in asdict(self).items()))
