"""``Files``: text files below a folder of this machine, for programs of other people's to read.

``FilesProvider`` is pickled by reference into the state: it keeps its name and place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from provisioner.providers.errors import one_line
from provisioner.providers.provider import Provider
from provisioner.providers.unknown import unknown
from provisioner.text_files import write_readable


class FilesProvider(Provider):
    """Each file is written at once or not at all; others in the folder are let be."""

    @one_line
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse to write over what is not the stack's."""
        kept = {key: news[key] for key in ("folder", "files")}
        if unknown(news):
            return CheckResult(kept, [])
        own = _olds.get("files", {}) if _olds and _olds.get("folder") == news["folder"] else {}
        return CheckResult(kept, [CheckFailure("", problem) for problem in _taken(kept, own)])

    @one_line
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another text, another file, another folder."""
        return DiffResult(changes=any(_olds.get(key) != _news[key] for key in ("folder", "files")))

    @one_line
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Write them."""
        _write(props)
        return CreateResult(props["folder"], props)

    @one_line
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Those that are there, as they are."""
        found = {**props, "files": {path: text for path in props["files"] if (text := _text(props, path)) is not None}}
        return ReadResult(id_, found, {key: found[key] for key in ("folder", "files")})

    @one_line
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Write what is wanted, and remove what is not any more."""
        _write(_news)
        gone = [path for path in _olds["files"] if _olds["folder"] != _news["folder"] or path not in _news["files"]]
        _remove(Path(_olds["folder"]), gone)
        return UpdateResult(_news)

    @one_line
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove them, and the folders that are empty then."""
        _remove(Path(_props["folder"]), _props["files"])


class Files(Resource, module="jetstream", name="Files"):
    """Text files.

    Args:
        resource_name: the name in Pulumi's state.
        folder: the folder, which is made where there is none.
        files: text by path in it.
        opts: Pulumi's options.
    """

    folder: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        folder: str,
        files: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(FilesProvider(), resource_name, {"folder": folder, "files": files}, opts)


def _taken(props: Mapping[str, Any], own: Mapping[str, str]) -> Iterable[str]:
    for path, text in props["files"].items():
        if path not in own and _text(props, path) not in (None, text):
            file = Path(props["folder"], path)
            yield f"{file}: is there already, and this stack did not write it; move it away, or remove it"


def _text(props: Mapping[str, Any], path: str) -> str | None:
    with suppress(FileNotFoundError, NotADirectoryError):
        return Path(props["folder"], path).read_text(encoding="utf-8", errors="replace")
    return None


def _write(props: Mapping[str, Any]) -> None:
    for path, text in props["files"].items():
        write_readable(Path(props["folder"], path), text)


def _remove(folder: Path, paths: Iterable[str]) -> None:
    """Folders too, as far as they are empty and below the one of the files, or that one itself."""
    for path in paths:
        file = folder / path
        file.unlink(missing_ok=True)
        for parent in file.parents:
            with suppress(OSError):
                parent.rmdir()
            if parent == folder:
                break
