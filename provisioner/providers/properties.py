"""A stream's properties in Pulumi's state <-> its specification: pure, no I/O.

The state holds the canonical text of every field that differs from its default. A refresh
overlays it with the live value of every field that differs from what was wanted, so that a
plan shows both, and ``filled_in`` names the default that a field left out goes back to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from provisioner.errors import ProvisionerError
from provisioner.plan.diff import differences
from provisioner.reconcile.run_state import Data
from provisioner.rules.normalise import normalise
from provisioner.rules.same_stream import is_same, known_as
from provisioner.schema.config import read_config, show_config, value_of
from provisioner.schema.fields import BY_NAME, POLICY_FIELDS
from provisioner.schema.model import Adopt, OnDelete, StreamConfig, StreamInfo, StreamSpec
from provisioner.schema.types import FieldPath, Report, Wire, read_fields

# In the outputs of a stream that has drifted: what the last up set, of each field that differs; JSON keeps a null.
BEFORE_DRIFT: Final = "before_drift"
# Bytes per second at which the stream was carried over the last time; the next plan tells its gap by it.
CARRY_RATE: Final = "carry_rate"
_OUTPUTS_ONLY: Final = ("created", BEFORE_DRIFT, CARRY_RATE)
_BOOKKEEPING: Final = (
    "url",
    "monitor_url",
    "store",
    "purpose",
    "on_delete",
    "adopt",
    "mark_owner",
    "owner",
    "backup_to",
    "status",
    "server",
    "login",
)

Props = Mapping[str, Any]

_STATED: Final = frozenset((*BY_NAME, *(field.name for field in POLICY_FIELDS)))


def data_of(props: Props) -> Data:
    """Where the stream, or the store, of properties is."""
    return Data(props["url"], props.get("monitor_url"), props.get("store") or props["url"])


def inputs(spec: StreamSpec, on_delete: OnDelete) -> dict[str, Any]:
    """What the program registers for a stream: nothing without a meaning, as each property costs its share of a run."""
    policies = {
        "purpose": spec.purpose,
        "on_delete": (spec.on_delete or on_delete).value,
        "adopt": None if spec.adopt is Adopt.EQUAL else spec.adopt.value,
        "mark_owner": spec.mark_owner,
        "renamed_from": spec.renamed_from,
    }
    return show_config(spec.config) | {name: value for name, value in policies.items() if value}


def canonical(props: Props, spec: StreamSpec) -> dict[str, Any]:
    """The properties with every field as the state has it: a program may have said it in other words."""
    said = {name: value for name, value in props.items() if name not in _STATED}
    return said | inputs(spec, OnDelete.GUARD)


def raise_error(at: FieldPath, what: str) -> None:
    """End at the first value that cannot be read: those of the state were read before.

    Raises:
        ProvisionerError: always.
    """
    raise ProvisionerError(f"{'.'.join(map(str, at))} {what}")


def spec(props: Props, report: Report = raise_error) -> StreamSpec:
    """The specification behind properties; ``report`` hears of each value that cannot be read."""
    given = {field.name: props.get(field.name) for field in POLICY_FIELDS}
    policy = read_fields(given, POLICY_FIELDS, (), report)
    return StreamSpec(config=_config(props, report), owner=props.get("owner", ""), **policy)


def _config(props: Props, report: Report) -> StreamConfig:
    return read_config({name: value for name, value in props.items() if name in BY_NAME}, report)


def filled_in(olds: Props, news: Props) -> dict[str, Any]:
    """The new inputs, and the server's default for each field the old ones hold and the new ones do not."""
    missing = [name for name in BY_NAME if name in olds and name not in news]
    if not missing:
        return dict(news)
    defaults = normalise(_config(news, lambda _at, _what: None))
    return {**news, **_shown({name: value_of(defaults, name) for name in missing})}


def bookkeeping_differs(olds: Props, news: Props) -> bool:
    """Whether anything but the stream's configuration differs; other data behind the server is not known yet."""
    return any(olds.get(key) != news.get(key) for key in _BOOKKEEPING)


def outputs(props: Props, info: StreamInfo, carry_rate: int | None, created: str | None = None) -> dict[str, Any]:
    """The outputs after a change: the inputs, and when the stream was created, as the state has it or the server."""
    rate = {CARRY_RATE: carry_rate} if carry_rate else {}
    return {**props, "created": known_as(created, info), **rate}


def overlaid(props: Props, info: StreamInfo) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and inputs of a stream as it was read: what was wanted, overlaid with what differs."""
    changes = differences(info.config, _config(props, raise_error))
    differing = {BEFORE_DRIFT, *(change.field for change in changes)}
    kept = {name: value for name, value in props.items() if name not in {*differing, "status"}}
    actual = {**kept, **_shown({change.field: change.old for change in changes}), **_status(props, info)}
    return _split({**actual, **_before_drift(props, info)}, props.get("created") or info.created)


def last_set(props: Props) -> StreamConfig:
    """The configuration that the last up left: the inputs, without what drift has overlaid since."""
    before = json.loads(props.get(BEFORE_DRIFT) or "{}")
    ours = {**props, **before}
    return _config({name: value for name, value in ours.items() if value is not None}, raise_error)


def _before_drift(props: Props, info: StreamInfo) -> dict[str, str]:
    changes = differences(info.config, last_set(props))
    shown = _shown({change.field: change.new for change in changes})
    return {BEFORE_DRIFT: json.dumps({change.field: shown.get(change.field) for change in changes})} if changes else {}


def not_whole(props: Props, status: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and inputs of a stream that the server does not show as it is: why not."""
    return _split({**props, "status": status}, props.get("created"))


def _status(props: Props, info: StreamInfo) -> dict[str, str]:
    """Where a stream is not as it should be: the program never has this property, so it is a difference."""
    if not props.get("created") or is_same(props["created"], info):
        return {}
    return {"status": f"restored, or deleted and made again, at {info.created}"}


def _split(actual: Props, created: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    return {**actual, "created": created}, {name: value for name, value in actual.items() if name not in _OUTPUTS_ONLY}


def _shown(wire: Mapping[str, Wire]) -> dict[str, Any]:
    """Canonical text; a block that is not there has none."""
    return {name: BY_NAME[name].type.show(value) for name, value in wire.items() if value is not None}
