"""What mypy says of a program of somebody's own, and what importing the package costs the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 200.0
WRONG = """\
from provisioner import Consumer, Server, Stream

server = Server("nats://127.0.0.1:4222", user=1)
orders = Stream("ORDERS", server=server, subjets=["orders.*"])
Stream("ORDERS", server=server, storage="disk", max_msgs="many", mirror={"nam": "A"})
Consumer("billing", stream=3)
"""


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, cwd=ROOT, env=environment
    )


def test_mypy_finds_what_is_wrong(tmp_path: Path) -> None:
    """A name that there is not, with the one that is meant, and a value of another type: each on its line."""
    said = _checked(tmp_path, WRONG)
    found = set(re.findall(r"wrong\.py:(\d+): error: .*\[([\w-]+)\]$", said, re.MULTILINE))
    assert {("3", "arg-type"), ("4", "call-arg"), ("5", "arg-type"), ("6", "arg-type")} == found
    assert 'did you mean "subjects"?' in said


def test_mypy_has_nothing_against_the_examples(tmp_path: Path) -> None:
    """The program of examples and that of the document are as strict as the rest."""
    document = (ROOT / "docs/library.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    for text in ((ROOT / "examples/own-program/__main__.py").read_text(), program):
        assert "" == _checked(tmp_path, text)


def _checked(folder: Path, program: str) -> str:
    """What mypy says of a program."""
    file = folder / "wrong.py"
    file.write_text(program)
    return _python("-m", "mypy", "--strict", "--no-error-summary", str(file)).stdout


def test_the_package_does_not_import_pulumi() -> None:
    """The command line has no use for it, and it costs more than the rest of its start."""
    code = (
        "import sys, provisioner; print('pulumi' in sys.modules, provisioner.Stream.__name__, 'pulumi' in sys.modules)"
    )
    assert "False Stream True\n" == _python("-c", code).stdout
