"""The services' file: YAML text -> services, or every problem in it at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from provisioner.catalogue.blocks import Block, RawBlock, read_block
from provisioner.catalogue.diagnostics import Diagnostics
from provisioner.catalogue.model import Catalogue
from provisioner.catalogue.yaml_nodes import Node, compose
from provisioner.errors import ServicesError
from provisioner.rules.problem import Problem
from provisioner.schema.types import Field, FieldPath
from provisioner.services.checks import (
    account_problems,
    login_problem,
    name_problem,
    service_problems,
    shared_consumers,
)
from provisioner.services.fields import (
    ACCOUNT_FIELDS,
    FILE_FIELDS,
    MONITORING_FIELDS,
    PROVISIONER_FIELDS,
    SERVICE_FIELDS,
)
from provisioner.services.model import (
    MONITORING,
    PROVISIONER,
    Access,
    Account,
    Consumption,
    LoginKind,
    Monitoring,
    Provisioner,
    Service,
    Services,
)
from provisioner.services.store_checks import STORE_ROLES
from provisioner.text import did_you_mean

SERVICES: Final = "services"
ACCOUNT: Final = "account"
LOGIN: Final = "login"
SECTIONS: Final = (LOGIN, ACCOUNT, PROVISIONER, MONITORING, SERVICES)
_SHAPE: Final = "write services: and below it each service's name and block, indented"


def read(text: str, label: str, catalogue: Catalogue) -> Services:
    """A services' file; ``label`` is how messages call it, ``catalogue`` has the streams that it speaks of.

    Raises:
        ServicesError: the text has problems: one line each.
    """
    problems = Diagnostics(label)
    root = compose(text, problems.add, "; write each value out")
    services = _Reader(root, problems).services(catalogue) if root else None
    if problems or services is None:
        raise ServicesError(str(problems))
    return services


class _Reader:
    """One file being read."""

    def __init__(self, root: Node, problems: Diagnostics) -> None:
        self._root, self._problems = root, problems
        content = root.plain
        if not isinstance(content, dict):
            self._report((), f"is not a map of services; {_SHAPE}")
            content = {SERVICES: {}}
        for key in content.keys() - set(SECTIONS):
            self._report((key,), f"unknown key{did_you_mean(key, SECTIONS)}; {_SHAPE}")
        self._content = content
        said = {LOGIN: content[LOGIN]} if LOGIN in content else {}
        self._login: LoginKind = read_block(said, FILE_FIELDS, self._report).values[LOGIN]

    def services(self, catalogue: Catalogue) -> Services:
        provisioner = self._identity((PROVISIONER,), PROVISIONER_FIELDS)
        monitoring = self._identity((MONITORING,), MONITORING_FIELDS)
        return Services(
            services=self._services(catalogue),
            account=self._account(catalogue),
            provisioner=Provisioner(**provisioner.values),
            monitoring=Monitoring(**monitoring.values),
            login=self._login,
        )

    def _account(self, catalogue: Catalogue) -> Account:
        if self._content.get(ACCOUNT) is None:
            if self._login is LoginKind.CREDS:
                self._report((LOGIN,), "creds needs an account with a name; write account: {name: PREDICTION_SYSTEM}")
            return Account()
        block = self._block((ACCOUNT,), ACCOUNT_FIELDS)
        limits = {name: limit for name, limit in block.values.items() if name != "name" and limit is not None}
        account = Account(block.values["name"], limits)
        self._report_certain((ACCOUNT,), block, *account_problems(account, catalogue))
        return account

    def _services(self, catalogue: Catalogue) -> tuple[Service, ...]:
        names = self._map((SERVICES,), self._content.get(SERVICES))
        if not names and not self._problems:
            self._report((), f"no services; {_SHAPE}")
        blocks = {name: self._identity((SERVICES, name), SERVICE_FIELDS) for name in names}
        services = tuple(_service(name, block) for name, block in blocks.items())
        for service in services:
            self._report_name(service.name)
            self._report_certain((SERVICES, service.name), blocks[service.name], *service_problems(service, catalogue))
        for service, problem in shared_consumers(services):
            self._report_certain((SERVICES, service.name), blocks[service.name], problem)
        return services

    def _report_name(self, name: str) -> None:
        if what := name_problem(name):
            self._report((SERVICES, name), what)

    def _identity(self, path: FieldPath, fields: tuple[Field, ...]) -> Block:
        """A block of somebody who logs in: as the block says, else as everybody."""
        block = self._block(path, fields)
        if what := login_problem(block.values[LOGIN], self._login):
            self._report((*path, LOGIN), what)
        return replace(block, values={**block.values, LOGIN: block.values[LOGIN] or self._login})

    def _block(self, path: FieldPath, fields: tuple[Field, ...]) -> Block:
        raw: Any = self._content
        for key in path:
            raw = self._map(path, raw.get(key))
        return read_block(raw, fields, lambda inner, what: self._report((*path, *inner), what))

    def _map(self, path: FieldPath, value: object) -> RawBlock:
        if isinstance(value, dict):
            return value
        if value is not None:
            self._report(path, "is not a block; write each entry as key: value, on its own line")
        return {}

    def _report_certain(self, path: FieldPath, block: Block, *problems: Problem) -> None:
        for problem in filter(None, map(block.certain, problems)):
            self._report((*path, *problem.path), problem.what)

    def _report(self, path: FieldPath, what: str) -> None:
        self._problems.add(self._root.line_at(path), path, what)


def _service(name: str, block: Block) -> Service:
    values = block.values
    return Service(
        name=name,
        purpose=values["purpose"],
        publishes=tuple(values["publishes"]),
        consumes=tuple(_consumption(entry, name) for entry in values["consumes"]),
        creates=tuple(values["creates"]),
        **{role: tuple(_access(entry) for entry in values[role]) for role in STORE_ROLES},
        key=values["key"],
        login=values["login"],
    )


def _consumption(entry: dict[str, Any], service: str) -> Consumption:
    return Consumption(entry["stream"], tuple(entry["consumers"] or (service,)), tuple(entry["subjects"]))


def _access(entry: dict[str, Any]) -> Access:
    return Access(entry["bucket"], tuple(entry["keys"]))
