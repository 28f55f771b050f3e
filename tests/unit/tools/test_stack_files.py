"""A stack's settings without Pulumi and without a YAML reader: read, or left to those who can."""

from __future__ import annotations

import pytest

from tools.paths import ROOT
from tools.stack_files import plain_settings


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a: process", "process"),
        ("a: nats://127.0.0.1:4222,nats://b:4222", "nats://127.0.0.1:4222,nats://b:4222"),
        ("a: 'it s, #1'", "it s, #1"),
        ('a: "x: y"', "x: y"),
        ("a: $JS.leaf.API", "$JS.leaf.API"),
        ("a: ''", ""),
        ("a: 3", "3"),
    ],
)
def test_a_word_is_read(line: str, value: str) -> None:
    """What Pulumi writes on one line is the setting, as `pulumi config` prints it."""
    assert {"p:a": value} == plain_settings(f"encryptionsalt: v1:x=:v1:y\nconfig:\n  # said\n\n  p:{line}\n")


@pytest.mark.parametrize(
    "text",
    [
        "  p:a:\n    secure: v1:abc\n",
        "  p:a: a # b\n",
        "  p:a: a: b\n",
        "  p:a: null\n",
        "  p:a: ~\n",
        "  p:a: [a]\n",
        "  p:a: {b: c}\n",
        "  p:a: &x y\n",
        "  p:a: |\n    text\n",
        '  p:a: "a\\tb"\n',
        "  p:a: 'it''s'\n",
        "  p:a: two words\n",
        "  p:a:\n",
        "    p:a: b\n",
    ],
)
def test_anything_else_is_pulumis(text: str) -> None:
    """Secrets, comments behind a value, blocks, references: nothing is guessed."""
    assert None is plain_settings(f"config:\n{text}")
    assert None is plain_settings(f"config:\n  p:b: c\n{text}")


@pytest.mark.parametrize("text", ["config: {a: b}\n", "environment:\n  - x\n", "a: b\n"])
def test_another_form_is_pulumis(text: str) -> None:
    """So is whatever is not a list of settings."""
    assert None is plain_settings(text)


@pytest.mark.parametrize("stack", ["dev", "local"])
def test_the_committed_stacks_can_be_read(stack: str) -> None:
    """`make drift` of these need not ask Pulumi."""
    settings = plain_settings((ROOT / f"Pulumi.{stack}.yaml").read_text())
    assert settings
    assert "delete" == settings["prediction-streams:onDelete"]
