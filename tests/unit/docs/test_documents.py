"""The documents hold together: links resolve, examples parse, and every console block says whether it is run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from provisioner.catalogue.reader import parse
from provisioner.errors import CatalogueError
from provisioner.services.reader import read
from tests.support.documents import Block, blocks, missing

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\]\((?!https?:)([^)\s]*)\)")
EXAMPLES = [pytest.param(file, block, id=f"{file.name}:{block.line}") for file in DOCUMENTS for block in blocks(file)]

# What services use in the documents beside the committed streams.
STORES = "buckets: {SESSIONS: {}}\nobjects: {MODELS: {}}\n"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_links_resolve(document: Path) -> None:
    """Every relative link leads to a file, and every anchor to a heading of it."""
    assert [] == [link for link in _LINK.findall(document.read_text()) if not _resolves(document, link)]


def _resolves(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("document", "block"), EXAMPLES)
def test_examples_parse(document: Path, block: Block) -> None:
    """Catalogues are read, settings are YAML, Python compiles, and a console block says whether it is run."""
    if block.language == "yaml" and not block.mark.startswith("file: wrong"):
        _parse(yaml.safe_load(block.text), block.text, document.name)
    if block.language == "python":
        compile(block.text, document.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if block.language == "console":
        assert block.mark.startswith(("run: ", "not run: "))


def _parse(content: dict[str, object], text: str, name: str) -> None:
    if "services" in content:
        assert read(text, name, parse(f"{(ROOT / 'infra/streams.yaml').read_text()}\n{STORES}", name)).services
    elif "config" not in content:
        assert parse(text, name).streams


def test_the_wrong_catalogue_has_exactly_the_problems_shown() -> None:
    """The README's example of six problems, line by line."""
    wrong, shown = (
        next(block for block in blocks(ROOT / "README.md") if block.mark == mark)
        for mark in ("file: wrong.yaml", "run: next, wrong.yaml")
    )
    with pytest.raises(CatalogueError) as caught:
        parse(wrong.text, "wrong.yaml")
    ((_command, expected),) = shown.commands
    assert expected == str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("expected", "actual", "any_order", "lacking"),
    [
        (["a", "b"], ["a", "b"], False, []),
        (["a", "…", "c"], ["a", "b", "c"], False, []),
        (["a", "c"], ["a", "b", "c"], False, ["c"]),
        (["a"], ["a", "b"], False, ["unexpected: lines after the last one"]),
        (["…", "a", "c", "…"], ["a", "b", "a", "c", "d"], False, []),
        (["b", "a"], ["a", "b", "c"], True, []),
        (["error: … 2 of 3"], ["error: x 2 of 3"], False, []),
        (["error: … 2 of 3"], ["error: x 2 of 4"], False, ["error: … 2 of 3"]),
        (["created (0.1s)"], ["Stack local: asked for", "@ updating.... created (2s)", ""], False, []),
    ],
)
def test_output_is_compared_line_by_line(
    expected: list[str], actual: list[str], any_order: bool, lacking: list[str]
) -> None:
    """Only … and volatile figures are lenient."""
    assert lacking == missing(expected, actual, any_order=any_order)
