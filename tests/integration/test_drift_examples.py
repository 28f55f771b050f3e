"""examples/drift: what they run, run by bash in a checkout against a real server; GitHub is stood in for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.support.checkout import Checkout
from tests.support.external_checkout import configure, external_checkout, made, program, state_of, write_state
from tests.support.nats_server import NatsServer
from tests.support.ports import free_port
from tests.support.units import ROOT, executed

WORKFLOW = yaml.safe_load((ROOT / "examples/drift/github-workflow.yml").read_text())
# A `gh` that writes down what it is asked, and knows of the open issue in GH_ISSUE.
GH = """
echo "$*" >> "$GH_ASKED"
case "$1 $2" in "issue list") echo "$GH_ISSUE" ;; esac
"""
CATALOGUE = "ORDERS: {subjects: [orders], max_msgs: 5, consumers: {billing: {}}}\n"


@pytest.fixture
def copy(tmp_path: Path) -> Checkout:
    """A checkout whose stack is called mine."""
    return external_checkout(tmp_path)


@pytest.fixture
def runner(copy: Checkout, server: NatsServer) -> Checkout:
    """A checkout on a runner of GitHub's, with a catalogue that the server, which has ORDERS, is not as."""
    made(copy, server)
    (copy.folder / "infra/streams.yaml").write_text(CATALOGUE)
    folder = copy.folder.parent
    program(folder / "programs/gh", GH)
    files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary.md", "GH_ASKED": "asked"}
    copy.environment.update({name: str(folder / file) for name, file in files.items()})
    copy.environment.update({"NATS_URL": server.url, "GH_ISSUE": ""})
    return copy


def job(runner: Checkout) -> tuple[int, list[str]]:
    """Run the job's steps as a runner does: the exit code of the last, and what GitHub was asked."""
    asked = Path(runner.environment["GH_ASKED"])
    asked.write_text("")
    Path(runner.environment["GITHUB_OUTPUT"]).write_text("")
    ran, code = "", 0
    for step in WORKFLOW["jobs"]["drift"]["steps"]:
        ran = Path(runner.environment["GITHUB_OUTPUT"]).read_text().strip().removeprefix("code=")
        if "run" not in step or not _applies(step.get("if"), ran):
            continue
        script = runner.folder.parent / "step.sh"
        script.write_text(step["run"])
        code, lines = runner.run(f"CODE={ran} bash --noprofile --norc -eo pipefail {script}")
        assert code == 0 or "Fail" in step["name"], lines
    return code, asked.read_text().splitlines()


def _applies(condition: str | None, code: str) -> bool:
    """Its two conditions, which are Python as well as GitHub's once their operators are."""
    if condition is None:
        return True
    expression = condition.replace("steps.drift.outputs.code", repr(code)).replace("||", "or").replace("&&", "and")
    return bool(eval(expression, {}))  # noqa: S307 - the example's own words


def test_the_workflow_opens_an_issue_and_closes_it(runner: Checkout) -> None:
    """Drift is an issue with the differences; later the same one; none any more ends it."""
    code, asked = job(runner)
    assert (0, "issue create --title Drift --label drift --body-file drift.md") == (code, asked[-1])
    lines = ["- stream `ORDERS`: max_msgs: 5 (live: unlimited)", "- consumer `ORDERS/billing`: is not on the server"]
    assert lines == (runner.folder / "drift.md").read_text().splitlines()
    assert 1 == json.loads((runner.folder / "drift.json").read_text())["exit_code"]
    assert lines == Path(runner.environment["GITHUB_STEP_SUMMARY"]).read_text().splitlines()

    runner.environment["GH_ISSUE"] = "7"
    assert "issue edit 7 --body-file drift.md" == job(runner)[1][-1]

    (runner.folder / "infra/streams.yaml").write_text((runner.folder / "mine.yaml").read_text())
    assert (0, "issue close 7 --comment No drift any more.") == ((done := job(runner))[0], done[1][-1])
    runner.environment["GH_ISSUE"] = ""
    assert (0, "issue list") == ((done := job(runner))[0], done[1][-1][:10])


def test_what_cannot_be_told_fails_the_workflow(runner: Checkout) -> None:
    """No issue is touched, and the reason is in the artefact."""
    runner.environment["NATS_URL"] = f"nats://127.0.0.1:{free_port()}"
    assert (2, []) == job(runner)
    assert "no NATS server answers" in json.loads((runner.folder / "drift.json").read_text())["error"]


def test_the_workflow_may_no_more_than_it_has_to() -> None:
    """Its token reads the checkout and writes issues, and every run of it ends."""
    assert {"contents": "read", "issues": "write"} == WORKFLOW["permissions"]
    assert WORKFLOW["jobs"]["drift"]["timeout-minutes"] == 10
    assert {"cron": "17 5 * * *"} in WORKFLOW[True]["schedule"], "YAML 1.1 reads `on` as true"


def test_the_unit_of_the_timer(copy: Checkout, server: NatsServer) -> None:
    """Its command finds the stack's server by itself, and ends with drift's own codes."""
    configure(copy, server)
    write_state(copy, state_of(server, made(copy, server), {}))
    (line,) = executed("examples/drift/streams-drift.service", "ExecStart")
    assert ["%h/prediction-streams"] == executed("examples/drift/streams-drift.service", "WorkingDirectory")
    assert 0 == copy.run(f"STACK=mine; {line}")[0]
    made(copy, server)
    assert 1 == copy.run(f"STACK=mine; {line}")[0]
