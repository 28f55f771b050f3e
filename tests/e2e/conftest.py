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
from tests.support.nats_server import NatsServer, running
from tools.pulumi import toolchain

ROOT = Path(__file__).resolve().parents[2]
_DEADLINE_S = 180.0
_NOISE = re.compile(r"^(@ .*)?$")


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
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")},
        "PATH": os.pathsep.join(path),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "STREAMS_REQUEST_TIMEOUT": "3",
        "STREAMS_CONNECT_TIMEOUT": "3",
    }


@contextmanager
def fresh_project(tmp_path: Path, engine: dict[str, str]) -> Iterator[Project]:
    """A project with an empty stack; taken down whatever happens."""
    folder = tmp_path / "project"
    folder.mkdir(parents=True)
    for name in ("infra", "provisioner", "tools", "__main__.py"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copy(ROOT / "Pulumi.yaml", folder)
    (tmp_path / "state").mkdir()
    own = {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_BACKEND_URL": f"file://{tmp_path}/state"}
    made = Project(folder, engine | own)
    _succeeded(made.pulumi("stack", "init", made.stack))
    try:
        yield made
    finally:
        made.pulumi("destroy", "--yes", "--skip-preview")


@pytest.fixture
def project(tmp_path: Path, engine: dict[str, str]) -> Iterator[Project]:
    """A fresh project with an empty stack; taken down whatever happens."""
    with fresh_project(tmp_path, engine) as made:
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
    made.pulumi("destroy", "--yes", "--skip-preview")
