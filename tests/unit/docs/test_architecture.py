"""The picture of the packages, the tree and the import contract are the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def _picture() -> list[set[str]]:
    """The names in the picture, layer by layer."""
    text = (ROOT / "docs/architecture.md").read_text()
    _before, block, _after = re.split(
        r"^```(?:text)?$", text.partition("## Packages")[2], maxsplit=2, flags=re.MULTILINE
    )
    layers = re.split(r"^─+$", block, flags=re.MULTILINE)
    return [set(re.findall(r"^ (\w+)  ", layer, re.MULTILINE)) for layer in layers]


def _contract() -> list[set[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {contract["id"]: contract for contract in settings["tool"]["importlinter"]["contracts"]}
    return [{name.strip() for name in layer.split("|")} for layer in contracts["layers"]["layers"]]


def test_the_picture_is_the_import_contract() -> None:
    """The same packages in the same layers, below the program."""
    assert [{"infra"}, *_contract()] == _picture()


def test_the_picture_is_the_tree() -> None:
    """Every package and module directly in provisioner is in the picture, and nothing else is."""
    inside = (ROOT / "provisioner").iterdir()
    tree = {path.stem for path in inside if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"}
    assert tree == set.union(*_picture()) - {"infra"}


def test_modules_that_the_documents_name_are_there() -> None:
    """A path in backticks or a link that looks like one of ours exists: a moved module takes its documents along."""
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    pattern = re.compile(r"`((?:provisioner|infra|tools|tests|docs|benchmarks)/[\w/.-]+)`")
    named = {(file.name, path) for file in documents for path in pattern.findall(file.read_text())}
    assert [] == sorted(pair for pair in named if not (ROOT / pair[1]).exists())
