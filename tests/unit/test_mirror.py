"""The unit tests stand where the code stands, and stay units."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parent
ROOT = UNIT.parents[1]


def test_each_folder_is_one_of_the_code() -> None:
    """A folder of unit tests has the name of a package of provisioner, or is infra, tools or docs."""
    folders = {folder.name for folder in UNIT.iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    packages = {init.parent.name for init in (ROOT / "provisioner").glob("*/__init__.py")}

    assert packages, "provisioner has no packages: this test looks in the wrong place"
    assert set() == folders - packages - {"infra", "tools", "docs"}


def test_a_unit_test_opens_no_connection() -> None:
    """One that tries fails, and so does one that swallows the operating system's errors."""
    with pytest.raises(AssertionError, match=r"does no I/O, this one does socket\.connect"), socket.socket() as probe:
        probe.connect(("127.0.0.1", 9))


def test_a_unit_test_starts_no_program() -> None:
    """One that tries fails."""
    with pytest.raises(AssertionError, match=r"does no I/O, this one does subprocess\.Popen"):
        subprocess.run([sys.executable, "-c", ""], check=True)
