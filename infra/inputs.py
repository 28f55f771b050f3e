"""What the program is made from, settings and catalogue: the problems of both are told together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from infra.settings import Settings, SettingsError, catalogue_path, parse, replicas
from infra.stack_config import require_secret
from provisioner.catalogue import reader
from provisioner.catalogue.model import Catalogue
from provisioner.errors import ProvisionerError

T = TypeVar("T")


def read(raw: Mapping[str, str], stack: str, secret: Collection[str]) -> tuple[Settings, Catalogue]:
    """Read a stack's settings, and the catalogue that they name.

    Args:
        raw: the stack's configuration, without its namespace.
        stack: the stack's name.
        secret: the settings that are encrypted.

    Raises:
        SettingsError: every problem, one line each.
    """
    problems: list[str] = []
    settings = _attempt(partial(parse, raw, stack), problems)
    catalogue = _attempt(partial(_catalogue, raw, stack), problems)
    _attempt(partial(require_secret, raw, secret, stack), problems)
    if problems or settings is None or catalogue is None:
        raise SettingsError("\n".join(problems))
    return settings, catalogue


def _catalogue(raw: Mapping[str, str], stack: str) -> Catalogue:
    path = catalogue_path(raw)
    if "catalogue" in raw and not path.exists():
        raise SettingsError(
            f"settings of stack {stack}: catalogue: there is no file {path}; "
            "a relative path starts at the project's root"
        )
    return reader.load(path, replicas(raw))


def _attempt(read_part: Callable[[], T], problems: list[str]) -> T | None:
    try:
        return read_part()
    except ProvisionerError as error:
        problems.append(str(error))
        return None
