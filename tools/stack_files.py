"""A stack as its files have it: for a look at its server that is not to wait a second or two for Pulumi.

Only where the state is in a folder, nothing that is needed is a secret, and the files are as Pulumi writes them. Of
everything else Pulumi has to be asked.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.paths import ROOT, STATE
from tools.stack_choice import Choice, Stack, settled

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROJECT = "prediction-streams"
_NAMESPACE = f"{_PROJECT}:"
_BACKEND = "file://"
# What Pulumi has in the place of a secret (sdk/go/common/resource/sig).
_SECRET = "4dabf18193072939515e22adb298388d"
# A setting on one line; nothing that YAML would read as anything but these letters, or Pulumi encrypts.
_SETTING = re.compile(r"  ([\w-]+:[\w-]+): (?:'([^']*)'|\"([^\"\\]*)\"|([A-Za-z0-9_./$][^\s#'\"]*[^\s#'\":]|\w))$")
_OTHER_LINES = re.compile(r"(\s*#.*|config:|encryptionsalt: \S+|secretsprovider: \S+)?$")
_NOTHING = {"null", "Null", "NULL"}


@dataclass(frozen=True, kw_only=True)
class StackFiles:
    """What the files say of a stack.

    Attributes:
        choice: the stack, and why that one.
        outputs: those of the last up.
        settings: by their names in the project.
        state: the file with its state.
    """

    choice: Choice
    outputs: Mapping[str, Any]
    settings: Mapping[str, str]
    state: Path

    @property
    def history(self) -> Path:
        """The folder with a file for each of its runs, once there is one."""
        return self.state.parents[2] / "history" / _PROJECT / self.state.stem


def look(requested: str, environment: Mapping[str, str], login: str | None) -> StackFiles | None:
    """Return what the files say; None where only Pulumi can tell.

    Args:
        requested: the name the user gives, or nothing.
        environment: where PULUMI_STACK and PULUMI_BACKEND_URL are.
        login: the backend that the user is logged in to, if there is one.

    Raises:
        ToolError: it is not clear which stack is meant.
    """
    folder = _folder(environment.get("PULUMI_BACKEND_URL") or login)
    states = _states(folder) if folder else None
    if not folder or states is None:
        return None
    existing = [Stack(name=name, resources=len(_resources(state))) for name, state in states.items()]
    choice = settled(requested, environment.get("PULUMI_STACK", ""), existing)
    name = choice.stack.rpartition("/")[2] if choice else ""
    settings = _stack_settings(name)
    if choice is None or name not in states or settings is None:
        return None
    outputs = _outputs(states[name])
    if _SECRET in json.dumps({**outputs, "streams": None}):
        return None
    return StackFiles(choice=choice, outputs=outputs, settings=settings, state=folder / f"{name}.json")


def plain_settings(text: str) -> dict[str, str] | None:
    """Return the settings in the text of Pulumi.<stack>.yaml; None where there is more in it than plain words."""
    settings: dict[str, str] = {}
    for line in map(str.rstrip, text.splitlines()):
        if match := _SETTING.match(line):
            settings[match[1]] = next(value for value in match.groups()[1:] if value is not None)
        elif not _OTHER_LINES.match(line):
            return None
    return None if _NOTHING & set(settings.values()) else settings


def _folder(backend: str | None) -> Path | None:
    if backend and not backend.startswith(f"{_BACKEND}/"):
        return None
    root = Path(backend.removeprefix(_BACKEND)) if backend else STATE
    return root / ".pulumi" / "stacks" / _PROJECT


def _states(folder: Path) -> dict[str, Mapping[str, Any]] | None:
    """Return each stack's state; None where one cannot be read: it is compressed, or of another version."""
    files = [file for file in folder.glob("*.json*") if not file.name.endswith((".bak", ".attrs"))]
    try:
        return {file.name.removesuffix(".json"): json.loads(file.read_bytes())["checkpoint"] for file in files}
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _resources(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    return (state.get("latest") or {}).get("resources") or []


def _outputs(state: Mapping[str, Any]) -> dict[str, Any]:
    stacks = (each for each in _resources(state) if each["type"] == "pulumi:pulumi:Stack")
    return next(stacks, {}).get("outputs") or {}


def _stack_settings(name: str) -> dict[str, str] | None:
    """Return the settings of a stack, without their namespace."""
    try:
        project, text = (ROOT / "Pulumi.yaml").read_text(), (ROOT / f"Pulumi.{name}.yaml").read_text()
    except OSError:
        return None
    settings = plain_settings(text)
    if settings is None or re.search(r"^config", project, re.MULTILINE):
        return None
    return {key.removeprefix(_NAMESPACE): value for key, value in settings.items() if key.startswith(_NAMESPACE)}
