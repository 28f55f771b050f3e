"""Whatever stands in a file: streams, or a CatalogueError of clear lines. Nothing else."""

import json
import random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.catalogue import yaml_nodes
from provisioner.catalogue.reader import STREAM_FIELDS, parse
from provisioner.errors import CatalogueError
from provisioner.schema.fields import SOURCE
from tests.support import corpus
from tests.support.exploring import explore, explores

NAMES = [field.name for field in (*STREAM_FIELDS, *SOURCE.fields)] + [
    "src",
    "dest",
    "api",
    "defaults",
    "_nats.x",
]
WORDS = [
    "7d",
    "10GiB",
    "a.>",
    "*",
    ">",
    "a b",
    "$JS.API.x",
    "new",
    "unlimited",
    "",
    "KV_a",
    "{{wildcard(1)}}",
]
NUMBERS = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([-1, 0, 1, 5, 2**63, 2**64])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(WORDS) | st.text(max_size=8)
KEYS = st.sampled_from(NAMES) | st.text(max_size=4)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
STREAMS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
CATALOGUES = st.dictionaries(
    st.sampled_from(["A", "B", "defaults", "default", "ignore", "a b"]), STREAMS | VALUES, max_size=4
)

PIECES = [
    *WORDS,
    *NAMES,
    *"\n\n\n:-?,[]{}#&*!|>'\"%@`\t~ \0\u2028",
    ": ",
    "  ",
    "\n  ",
    "\n    - ",
    "<<: ",
    "---\n",
    "...",
    "\r\n",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)

VALID = """\
defaults: {max_age: 7d, discard: new}
A:
  subjects: [a.>, b.*]
  max_bytes: 10GiB
  sources:
    - name: B
      subject_transforms: [{src: 'a.*', dest: 'b.{{wildcard(1)}}'}]
  republish: {src: '>', dest: 'c.>'}
B: {mirror: {name: C, opt_start_time: 2026-01-31T12:00:00Z}, metadata: {x: y}, placement: {tags: [a]}}
"""


@pytest.fixture(params=["c", "python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With either of PyYAML's parsers."""
    chosen = {"c": yaml.CBaseLoader, "python": yaml.BaseLoader}[request.param]
    monkeypatch.setattr(yaml_nodes, "_LOADER", chosen)


fuzzed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def _damaged(seed: int, edits: int) -> str:
    """A good catalogue with a few characters replaced."""
    chance, text = random.Random(seed), VALID  # noqa: S311
    for _ in range(edits):
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(PIECES) + text[at + chance.randrange(4) :]
    return text


DAMAGED = st.builds(_damaged, st.integers(), st.integers(1, 8))


def check(text: str) -> None:
    """Parse; what is raised is lines that begin with file and line."""
    try:
        catalogue = parse(text, "c.yaml")
    except CatalogueError as error:
        lines = str(error).split("\n")
        assert [] == [line for line in lines if not (line.startswith("c.yaml:") and line.split(":")[1].isdecimal())]
        assert [] == [line for line in lines if not line.isprintable()]
    else:
        assert catalogue.streams, "neither streams nor an error"


def check_example(example: dict[str, Any]) -> None:
    """Check a text as a line of the corpus has it."""
    with corpus.replayable("catalogues", example):
        check(example["text"])


@pytest.mark.usefixtures("loader")
@fuzzed
@given(TEXTS)
def test_any_text(text: str) -> None:
    """YAML-like noise never gets further than a CatalogueError."""
    check_example({"text": text})


@fuzzed
@given(CATALOGUES)
def test_any_values(catalogue: dict[str, object]) -> None:
    """Well-formed YAML with any value anywhere never gets further than a CatalogueError."""
    check_example({"text": json.dumps(catalogue, ensure_ascii=False)})


@pytest.mark.usefixtures("loader")
@fuzzed
@given(DAMAGED)
def test_any_damage(text: str) -> None:
    """A good catalogue with a few characters replaced never gets further than a CatalogueError."""
    check_example({"text": text})


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("example", corpus.read("catalogues"), ids=lambda example: example["why"])
def test_a_text_that_was_read_wrongly_once(example: dict[str, Any]) -> None:
    """Streams or clear lines for every committed text."""
    check(example["text"])


class TestExplore:
    """Texts that no run has seen."""

    pytestmark = explores()

    @pytest.mark.usefixtures("loader")
    def test_texts(self) -> None:
        """Noise, values and damage from new seeds, with either parser."""
        texts = TEXTS | CATALOGUES.map(json.dumps) | DAMAGED
        explore(check_example, st.fixed_dictionaries({"text": texts}), share=0.05)


def test_the_undamaged_one_is_valid() -> None:
    """The fuzz begins from something that works."""
    assert [spec.name for spec in parse(VALID, "c.yaml").streams] == ["A", "B"]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", ["[" * 3_000, "{a: " * 3_000, "- " * 3_000, "? " * 3_000, "a.b." * 10_000])
def test_extremes(text: str) -> None:
    """Deep and long ones end in an error too, not in a recursion."""
    check(text)
    check(f"A: {{subjects: {text}")
