"""The operator's command line."""

import json
from pathlib import Path

import pytest

from provisioner.catalogue.json_schema import catalogue_schema
from provisioner.cli import validate as command
from provisioner.cli.main import main

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are run from the project's root."""
    monkeypatch.chdir(ROOT)


def test_validate_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """A good catalogue is one line and exit code 0."""
    assert main(["validate"]) == 0
    assert capsys.readouterr() == ("infra/streams.yaml: 5 streams, 9 consumers, 18.5 GiB reserved\n", "")


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


@pytest.mark.parametrize(
    ("arguments", "program", "text"),
    [
        ([], "streams", "the following arguments are required: COMMAND"),
        (["nonsense"], "streams", "argument COMMAND: invalid choice: 'nonsense'"),
        (["schema", "x"], "streams schema", "unrecognized arguments: x"),
        (["validate", "a", "b"], "streams validate", "unrecognized arguments: b"),
        (["status", "--jsno"], "streams status", "unrecognized arguments: --jsno; did you mean --json?"),
        (["status", "--url"], "streams status", "argument --url: expected one argument"),
        (["status", "--watch", "ORDERS"], "streams status", "argument --watch: 'ORDERS' is not a number of seconds;"),
        (["status", "--watch", "0"], "streams status", "argument --watch: '0' is no time to wait; write it like 5"),
        (["status", "--used-warning", "nan"], "streams status", "argument --used-warning: 'nan' is not a number of"),
        (["status", "--lag-critical", "-1"], "streams status", "argument --lag-critical: '-1' is not a number of mess"),
        (["status", "--no-message-for", "5"], "streams status", "argument --no-message-for: '5' is not a duration;"),
        (["drift", "x"], "streams drift", "unrecognized arguments: x"),
        (["drift", "--jsno"], "streams drift", "unrecognized arguments: --jsno; did you mean --json?"),
        (["backup", "A"], "streams backup", "one of the arguments --to --verify is required"),
        (["backup", "--to", "a", "--verify", "b"], "streams backup", "argument --verify: not allowed with"),
        (["restore"], "streams restore", "the following arguments are required: DIR"),
    ],
)  # fmt: skip
def test_bad_usage(arguments: list[str], program: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad usage is a line and the usage, and its exit code no state of health."""
    assert 64 == main(arguments)
    printed = capsys.readouterr()
    assert "" == printed.out
    assert printed.err.startswith(f"{program}: {text}")
    assert f"\nusage: {program} " in printed.err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Asking for help is no error."""
    assert 0 == main(["status", "--help"])
    assert "2 critical" in capsys.readouterr().out


@pytest.mark.parametrize("option", [[], ["--catalogue"]])
def test_validate_another_catalogue(option: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Positional or as an option, as of ``status``."""
    file = tmp_path / "one.yaml"
    file.write_text("A: {max_bytes: 1MiB}\n")
    assert 0 == main(["validate", *option, str(file)])
    assert capsys.readouterr().out == f"{file}: 1 stream, 1.0 MiB reserved\n"


@pytest.mark.parametrize(
    ("folder", "shown"), [(ROOT, "infra/streams.yaml"), (ROOT / "infra", "streams.yaml"), (Path("/"), None)]
)
def test_the_default_is_found_from_anywhere(
    folder: Path, shown: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The catalogue of the checkout, as short as the current folder allows."""
    monkeypatch.chdir(folder)
    assert 0 == main(["validate"])
    path = shown or str(ROOT / "infra/streams.yaml").removeprefix("/")
    assert capsys.readouterr().out.endswith(f"{path}: 5 streams, 9 consumers, 18.5 GiB reserved\n")


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody foresaw is told in full, and its exit code no state of health."""

    def fail(_options: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(command, "run", fail)
    assert 70 == main(["validate"])
    assert "ZeroDivisionError" in capsys.readouterr().err
