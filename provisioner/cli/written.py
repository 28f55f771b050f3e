"""Files that commands write."""

from __future__ import annotations

from pathlib import Path

from provisioner.errors import ProvisionerError


def write_whole(file: Path, text: str) -> None:
    """Write a file at once or not at all: whoever reads it has the old text or the new one.

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
