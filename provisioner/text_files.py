"""Text files that are written at once or not at all."""

from __future__ import annotations

from pathlib import Path

from provisioner.errors import ProvisionerError


def write_whole(file: Path, text: str) -> None:
    """Write a file: whoever reads it has the old text or the new one.

    Raises:
        ProvisionerError: it cannot be written; the line says why.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ProvisionerError(f"{file}: cannot be written: {error.strerror}") from error


def write_readable(file: Path, text: str) -> None:
    """Write a file, and the folders that it needs, for everybody to read: containers have users of their own.

    Raises:
        ProvisionerError: it cannot be written; the line says why.
    """
    new = [folder for folder in file.parents if not folder.exists()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text)
        file.chmod(0o644)
        for folder in new:
            folder.chmod(0o755)
    except OSError as error:
        raise ProvisionerError(f"{file.parent}: cannot be made: {error.strerror}") from error
