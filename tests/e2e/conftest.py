"""The real engine on this program: each test has a project folder, a home and a state of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.jetstream.client import JetStream
from provisioner.jetstream.target import Credentials
from tests.support.left_running import end_servers
from tests.support.nats_server import NatsServer, running
from tools.pulumi import toolchain

ROOT = Path(__file__).resolve().parents[2]
_DEADLINE_S = 180.0
_NOISE = re.compile(r"^(@ .*)?$")
# In the types of resources that live on when a test has ended.
_SERVERS = (":ServerProcess", '"docker:')
# How Pulumi asks which packages .venv has, at every run.
_PIP_LIST = ["list", "-v", "--format", "json"]
_PIP = """\
import os, runpy, sys

if sys.argv[1:] == {question!r}:
    print({answer!r})
else:
    sys.path.remove(os.path.dirname(__file__))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
# With no compiled files, each of the thousand programs that a test run starts compiles ours anew.
_NOT_INHERITED = ("PULUMI_", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Result:
    """What a pulumi command said."""

    code: int
    text: str


@dataclass
class Project:
    """A copy of this project with one stack in it."""

    folder: Path
    environment: dict[str, str]
    stack: str = "test"
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The file with the stack's state."""
        backend = Path(self.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        return backend / ".pulumi" / "stacks" / "prediction-streams" / f"{self.stack}.json"

    def recover(self) -> None:
        """What has to be done after a run that was killed, and only then."""
        self.repair_state()
        _succeeded(self.pulumi("cancel", "--yes"))

    def repair_state(self) -> None:
        """As docs/troubleshooting.md says: an engine that is killed may leave an empty file of attributes."""
        attributes = self.attributes
        if attributes.exists() and not attributes.read_text():
            attributes.unlink()

    @property
    def attributes(self) -> Path:
        """What Pulumi writes beside the state, not at once with it."""
        return self.state.with_name(f"{self.state.name}.attrs")

    def rename(self, stack: str) -> None:
        """Give the stack another name, which what it makes carries; the old one goes."""
        _succeeded(self.pulumi("stack", "rm", "--yes", self.stack))
        self.stack = stack
        _succeeded(self.pulumi("stack", "init", stack))

    def configure(self, **settings: Any) -> None:
        """Write the stack's settings; the namespace is added."""
        self.settings = settings
        config = {f"prediction-streams:{key}": value for key, value in settings.items() if value is not None}
        (self.folder / f"Pulumi.{self.stack}.yaml").write_text(yaml.safe_dump({"config": config}))

    def catalogue(self, **streams: dict[str, Any]) -> None:
        """Replace the catalogue."""
        (self.folder / "streams.yaml").write_text(yaml.safe_dump(streams, sort_keys=False))

    def pulumi(self, *arguments: str, **environment: str) -> Result:
        """Run pulumi on the stack, never asking anything."""
        ran = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.environment | {"PULUMI_STACK": self.stack} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )
        lines = [line for line in ran.stdout.splitlines() if not _NOISE.match(line)]
        return Result(ran.returncode, "\n".join(lines))

    def up(self, *arguments: str, **environment: str) -> Result:
        """Bring the stack up; it must succeed."""
        return _succeeded(self.pulumi("up", "--yes", "--skip-preview", "--diff", *arguments, **environment))

    def preview(self, *arguments: str, **environment: str) -> Result:
        """Plan; the caller looks at the code."""
        return self.pulumi("preview", "--diff", *arguments, **environment)

    def unchanged(self) -> bool:
        """Whether a preview finds nothing to do; if not, a failing test shows what it found."""
        result = self.preview("--expect-no-changes")
        print(result.text)  # noqa: T201 - pytest shows it with a failure
        return result.code == 0

    def drift(self) -> str:
        """A plan that must find something to do, and must not fail for any other reason."""
        result = self.preview("--expect-no-changes")
        assert result.code != 0, f"there is nothing to do: {result.text}"
        assert "but changes were proposed" in result.text, result.text
        return result.text

    def destroy(self) -> Result:
        """Take the stack down; it must succeed."""
        return _succeeded(self.pulumi("destroy", "--yes", "--skip-preview"))

    def leave_nothing_running(self) -> None:
        """Destroy a stack that has servers; streams alone end with the test's own server, its state with its folder.

        A destroy that fails fails the test, and so does a server that outlives it; no server is left behind by either.
        """
        state = self.state.read_text() if self.state.exists() else ""
        try:
            if any(server in state for server in _SERVERS):
                self.destroy()
        finally:
            left = end_servers(self.folder.parent)
        assert not left, f"servers ran on when their stack was gone: {left}"


def _succeeded(result: Result) -> Result:
    """Show the errors first: CI cuts long output, and they are at its end."""
    errors = "\n".join(line for line in result.text.splitlines() if "error" in line)
    assert result.code == 0, f"{errors}\n\n{result.text}"
    return result


@pytest.fixture(scope="session")
def engine() -> dict[str, str]:
    """The environment in which the real engine runs, built or found as `make setup` does."""
    folder = toolchain.ensure()
    found = shutil.which("pulumi", path=os.pathsep.join([str(folder or ""), os.environ["PATH"]]))
    if not found and not os.environ.get("CI"):
        pytest.skip("no Pulumi engine can be had here")
    path = [str(Path(sys.executable).parent), *([str(folder)] if folder else []), os.environ["PATH"]]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)},
        "PATH": os.pathsep.join(path),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "STREAMS_REQUEST_TIMEOUT": "3",
        "STREAMS_CONNECT_TIMEOUT": "3",
    }


@dataclass(frozen=True)
class Template:
    """A project as `pulumi stack init` leaves it, made once."""

    folder: Path
    environment: dict[str, str]

    @contextmanager
    def copied(self, to: Path) -> Iterator[Project]:
        """A project with an empty stack; nothing of it is left running, whatever happens."""
        shutil.copytree(self.folder, to, symlinks=True, dirs_exist_ok=True)
        made = self.project(to)
        try:
            yield made
        finally:
            made.leave_nothing_running()

    def project(self, place: Path) -> Project:
        """The project in a place."""
        own = {"PULUMI_HOME": str(place / "home"), "PULUMI_BACKEND_URL": f"file://{place}/state"}
        return Project(place / "project", self.environment | own)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, engine: dict[str, str]) -> Template:
    """The project of which each test gets a copy."""
    place = tmp_path_factory.mktemp("template")
    made = Template(place, engine | {"PYTHONPATH": str(_pip_that_has_answered(tmp_path_factory.mktemp("pip")))})
    folder = place / "project"
    folder.mkdir()
    for name in ("infra", "provisioner", "tools", "__main__.py"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    (place / "state").mkdir()
    _succeeded(made.project(place).pulumi("stack", "init", Project.stack))
    return made


def _pip_that_has_answered(folder: Path) -> Path:
    """Pulumi asks pip for the packages of .venv in every run, a quarter of its CPU time: here pip is asked once."""
    command = [sys.executable, "-m", "pip", *_PIP_LIST]
    answer = subprocess.run(command, capture_output=True, check=True, text=True, timeout=_DEADLINE_S).stdout
    (folder / "pip.py").write_text(_PIP.format(question=_PIP_LIST, answer=answer))
    return folder


@pytest.fixture
def project(tmp_path: Path, template: Template) -> Iterator[Project]:
    """A fresh project with an empty stack; nothing of it is left running, whatever happens."""
    with template.copied(tmp_path) as made:
        yield made


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server of the test's own."""
    with running(tmp_path / "nats") as started:
        yield started


@pytest.fixture
def jetstream(server: NatsServer) -> Iterator[JetStream]:
    """Another client than the provider's: what somebody does behind its back."""
    with ExitStack() as stack:
        client = JetStream(server.url, Credentials())
        stack.callback(client.close)
        yield client


@pytest.fixture
def external(project: Project, server: NatsServer) -> Project:
    """A project whose server is there already, with the five streams as its catalogue."""
    project.configure(server="external", url=server.url, onDelete="delete")
    return project


@pytest.fixture
def other(external: Project) -> Iterator[Project]:
    """A second stack of the same project on the same server."""
    made = Project(external.folder, external.environment, "other")
    assert made.pulumi("stack", "init", "other").code == 0
    yield made
    made.leave_nothing_running()
