"""The operator's command line."""

import json
from pathlib import Path

import pytest

from provisioner.__main__ import main
from provisioner.catalogue.json_schema import catalogue_schema

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are run from the project's root."""
    monkeypatch.chdir(ROOT)


def test_validate_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """A good catalogue is one line and exit code 0."""
    assert main(["validate"]) == 0
    assert capsys.readouterr() == ("infra/streams.yaml: 5 streams, 18.5 GiB reserved\n", "")


def test_validate_one_stream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One is not plural."""
    file = tmp_path / "one.yaml"
    file.write_text("A: {max_bytes: 1MiB}\n")
    assert main(["validate", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: 1 stream, 1.0 MiB reserved\n"


def test_validate_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every mistake goes to stderr, and the exit code is 1."""
    file = tmp_path / "bad.yaml"
    file.write_text("A:\n  max_agee: 7d\n  max_age: 7\n")
    assert main(["validate", str(file)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"{file}:2: A.max_agee: unknown field; did you mean max_age?",
        f"{file}:3: A.max_age: 7 has no unit; write it like 7d, 1h30m or 500ms",
    ]


def test_validate_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback: the file and the reason."""
    assert main(["validate", str(tmp_path / "none.yaml")]) == 1
    assert capsys.readouterr().err == f"{tmp_path}/none.yaml: cannot be read: No such file or directory\n"


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """The schema is printed as JSON, exactly as the file that is committed."""
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == catalogue_schema()
    assert printed == (ROOT / "infra/streams.schema.json").read_text()


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["schema", "x"], ["validate", "a", "b"], ["validate", "--x"]])
def test_bad_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Bad usage says how and exits with 2."""
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage: python -m provisioner" in capsys.readouterr().err
