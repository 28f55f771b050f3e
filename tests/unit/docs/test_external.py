"""docs/external.md and the code say the same of permissions; the committed example of a stack can be used."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from infra.settings import TABLE, parse
from infra.stack_config import SECRETS
from provisioner.catalogue.reader import load
from provisioner.jetstream.user_info import USER_INFO
from provisioner.reconcile.permitted import Work, subjects
from provisioner.rules.subjects import contains
from provisioner.services.model import PROVISIONER
from provisioner.services.permissions import permissions
from provisioner.services.reader import read
from tests.support.documents import blocks

ROOT = Path(__file__).parents[3]
API = "$JS.API"
NEEDED = {subject for work in Work for subject in subjects(work, "*", API)}
# The stream of the smoke test, which only the stack's own provisioner uses.
SMOKE = "_SMOKE"


def test_the_table_of_permissions() -> None:
    """A row for each kind of work, with exactly the subjects that the plan asks for."""
    text = (ROOT / "docs/external.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| (`\$[^|]+) \|$", text, re.MULTILINE)
    found = {work: re.findall(r"`(\$[^`]+)`", listed) for work, listed in rows if listed.startswith("`$JS.API.")}
    assert {work.value: subjects(work, "*", API) for work in Work} == found


def test_the_documented_user() -> None:
    """Who may do everything, and nothing but that."""
    block = next(block for block in blocks(ROOT / "docs/external.md") if block.mark == "permissions")
    published = re.search(r"publish: \[(.*?)\]", block.text, re.DOTALL)
    assert published
    assert {*NEEDED, USER_INFO} == set(re.findall(r'"([^"]+)"', published[1]))


def test_the_stack_s_own_provisioner() -> None:
    """The identity of a server of the stack's own has what the plan would ask for, the smoke test, and nothing else."""
    catalogue = load(ROOT / "infra/streams.yaml")
    text = (ROOT / "infra/services.yaml").read_text()
    own = permissions(read(text, "services.yaml", catalogue), catalogue)[PROVISIONER].publish
    assert [] == [subject for subject in NEEDED if not any(contains(pattern, subject) for pattern in own)]
    more = [pattern for pattern in own if not any(contains(pattern, subject) for subject in NEEDED)]
    assert {SMOKE} == {next(token for token in pattern.split(".") if token == SMOKE) for pattern in more}


def test_the_committed_example() -> None:
    """Pulumi.prod.yaml is an external server's, guarded, with copies and replicas; no login is in it, and no salt."""
    content = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())
    assert ["config"] == list(content)
    raw = {key.removeprefix("prediction-streams:"): value for key, value in content["config"].items()}
    found = parse(raw, "prod")
    assert ("external", 3, "guard", "backups/prod") == (found.server, found.replicas, found.on_delete, found.backup_to)
    assert {} == {key: raw[key] for key in (*SECRETS, "user") if key in raw}


def test_every_setting_is_documented() -> None:
    """docs/settings.md has a row with each key."""
    text = (ROOT / "docs/settings.md").read_text()
    rows = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    assert [] == [setting.key for setting in TABLE if f"`{setting.key}`" not in rows]
