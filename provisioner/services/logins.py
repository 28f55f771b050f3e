"""How identities log in, as the server has to know it: no secret is among it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from provisioner.errors import ServicesError
from provisioner.services.model import Services
from provisioner.text import did_you_mean

_PUBLIC_USER_KEY: Final = re.compile(r"U[A-Z2-7]{55}")
_PUBLIC_ACCOUNT_KEY: Final = re.compile(r"A[A-Z2-7]{55}")
# What nats-server takes for a hash; it compares everything else as it stands.
_BCRYPT: Final = re.compile(r"\$2[abxy]\$\d{2}\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True)
class Nkey:
    """The public half of a user's nkey; the seed stays with the user."""

    public: str

    @property
    def problem(self) -> str | None:
        valid = _PUBLIC_USER_KEY.fullmatch(self.public)
        return None if valid else "is not a user's public nkey; one begins with U and has 56 characters"

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        return (("nkey", self.public),)


@dataclass(frozen=True)
class Password:
    """A user name, and the bcrypt hash of the password."""

    user: str
    bcrypt: str

    @property
    def problem(self) -> str | None:
        if not self.user:
            return "has no user name"
        valid = _BCRYPT.fullmatch(self.bcrypt)
        return None if valid else "has no bcrypt hash; one begins with $2b$ and has 60 characters"

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        return (("user", self.user), ("password", self.bcrypt))


@dataclass(frozen=True)
class SigningKey:
    """The public half of the key by which an account lets in one user; the operator's token has it."""

    public: str

    @property
    def problem(self) -> str | None:
        valid = _PUBLIC_ACCOUNT_KEY.fullmatch(self.public)
        return None if valid else "is not an account's public nkey; one begins with A and has 56 characters"

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        return (("key", self.public),)


Login: TypeAlias = Nkey | Password | SigningKey
Logins: TypeAlias = Mapping[str, Login]


def require(logins: Logins, services: Services) -> None:
    """Refuse logins that are not exactly one usable one for each identity.

    Raises:
        ServicesError: every problem, one line each.
    """
    if problems := [*_problems(logins, services)]:
        raise ServicesError("\n".join(f"logins: {problem}" for problem in problems))


def _problems(logins: Logins, services: Services) -> Iterator[str]:
    names = services.purposes
    yield from (f"{name}: is missing; each identity needs one" for name in names if name not in logins)
    for name, login in logins.items():
        if name not in names:
            yield f"{name}: is no service of the file{did_you_mean(name, names)}"
        if login.problem:
            yield f"{name}: {login.problem}"
    users = Counter(login.lines[0] for login in logins.values())
    yield from (f"{name}: has another's login; each needs its own" for name in logins if _shared(logins[name], users))


def _shared(login: Login, users: Counter[tuple[str, str]]) -> bool:
    return users[login.lines[0]] > 1
