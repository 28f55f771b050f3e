"""What must hold after a step, whatever has happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.campaign.ledger import Ack, Excuses, Key, Ledger
from tests.support.campaign.model import World
from tests.support.campaign.places import Own, Places, held
from tests.support.raw_nats import raw_client

Infos = Mapping[str, dict[str, Any]]
# Place -> stream -> what its server says of it; None where none runs.
View = Mapping[str, Infos | None]

_TYPE: Final = "pulumi-python:dynamic/jetstream:Stream"
_COMPARED: Final[Mapping[str, object]] = {
    "storage": "file",
    "retention": "limits",
    "discard": "old",
    "max_msgs": -1,
    "max_msgs_per_subject": -1,
    "description": "",
}


def look(places: Places) -> dict[str, Infos | None]:
    """What every server holds."""
    return {name: places.infos(name) for name in places.all}


def configurations(view: View) -> dict[Key, tuple[Any, Any]]:
    """Each stream's configuration, and when it was created."""
    return {
        (place, name): (info["config"], info["created"])
        for place, infos in view.items()
        for name, info in (infos or {}).items()
    }


def messages(view: View, place: str, name: str) -> int:
    """How many messages a stream holds; none where it is not there."""
    info = (view[place] or {}).get(name)
    return int(info["state"]["messages"]) if info else 0


def gone(places: Places, before: View, after: View, key: Key) -> int:
    """How many of a stream's messages have gone, where nobody has published."""
    place, name = key
    target, old, new = places.all[place], (before[place] or {}).get(name), (after[place] or {}).get(name)
    if after[place] is None and isinstance(target, Own) and target.keeps(name):
        return 0
    left = messages(after, place, name) if old and new and old["created"] == new["created"] else 0
    return messages(before, place, name) - left


def require_wanted(world: World, infos: Infos, state: Path) -> None:
    """The server has what the catalogue says, made by this state; nothing is half moved."""
    entries = world.catalogue()
    created = _created(state)
    assert entries.keys() == created.keys(), f"the state has {sorted(created)}"
    for name, entry in entries.items():
        assert name in infos, f"{name} is not on the server, which has {sorted(infos)}"
        config = infos[name]["config"]
        wanted = {key: entry.get(key, default) for key, default in _COMPARED.items()}
        actual = {key: config.get(key, default) for key, default in _COMPARED.items()}
        assert wanted == actual, f"{name}: wanted {wanted}, is {actual}"
        assert sorted(entry["subjects"]) == sorted(config["subjects"]), f"{name}: {entry['subjects']} is {config}"
        assert created[name] == infos[name]["created"], f"{name}: the state has {created[name]}, not {infos[name]}"


def require_nothing_released(view: View) -> None:
    """No stream is left with the subject of one that gave all of its own away."""
    left = {
        (place, name): info["config"]["subjects"]
        for place, infos in view.items()
        for name, info in (infos or {}).items()
        if any(subject.startswith("_released") for subject in info["config"].get("subjects") or ())
    }
    assert not left, f"subjects were released and not taken back: {left}"


def lost(places: Places, view: View, ledger: Ledger, excuses: Excuses) -> dict[Key, list[Ack]]:
    """Acknowledged messages that are gone, and that nothing explains; whatever is gone is forgotten."""
    losses = {}
    for key in ledger.expecting():
        missing = _missing(places, view, ledger, key)
        if unexcused := excuses.unexcused(key, missing):
            losses[key] = unexcused
        ledger.forget(key, missing)
    return losses


def require_content(places: Places, view: View, ledger: Ledger) -> None:
    """Samples of what should be there are there, with what was published."""
    for place, name in ledger.expecting():
        expected, url = ledger.expected((place, name)), places.url(place)
        if not url or name not in (view[place] or {}):
            continue
        with raw_client(url) as raw:
            for ack in {expected[0], expected[len(expected) // 2], expected[-1]} if expected else ():
                data = raw.message(name, ack.sequence)["data"]
                assert str(ack.number).encode() == data, f"{place} {name}: {ack} is {data!r}"


def _missing(places: Places, view: View, ledger: Ledger, key: Key) -> list[Ack]:
    place, name = key
    infos, target = view[place], places.all[place]
    if infos is None and isinstance(target, Own) and target.keeps(name):
        return []
    return ledger.missing(key, held(infos[name]) if infos and name in infos else None)


def _created(state: Path) -> dict[str, str]:
    resources = json.loads(state.read_text())["checkpoint"]["latest"].get("resources", ())
    return {each["outputs"]["name"]: each["outputs"]["created"] for each in resources if each["type"] == _TYPE}
