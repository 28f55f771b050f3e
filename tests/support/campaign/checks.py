"""What must hold after a step, whatever has happened."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.support.campaign.ledger import Ack, Excuses, Key, Ledger, uncopied
from tests.support.campaign.model import POLICIES, World
from tests.support.campaign.places import Own, Places, held
from tests.support.campaign.runner import Outcome
from tests.support.raw_nats import raw_client

Infos = Mapping[str, dict[str, Any]]
# Place -> stream -> what its server says of it; None where none runs.
View = Mapping[str, Infos | None]
# The numbers of the messages in each copy of a stream.
Copies = list[set[int]]

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


def missing(places: Places, view: View, ledger: Ledger) -> dict[Key, list[Ack]]:
    """Acknowledged messages that are gone."""
    found = {key: _missing(places, view, ledger, key) for key in ledger.expecting()}
    return {key: acks for key, acks in found.items() if acks}


def lost(gone: Mapping[Key, list[Ack]], excuses: Excuses) -> dict[str, list[int]]:
    """Those that nothing explains, by their numbers."""
    unexcused = {key: excuses.unexcused(key, acks) for key, acks in gone.items()}
    return _numbered(unexcused)


def not_copied(gone: Mapping[Key, list[Ack]], excuses: Excuses, copies: Mapping[str, Copies]) -> dict[str, list[int]]:
    """Those that no copy has, though there should be one."""
    return _numbered(
        {
            key: uncopied(acks, copies[key[1]], drops=key[1] in excuses.dropping)
            for key, acks in gone.items()
            if key not in excuses.volatile
        }
    )


def require_policies(
    world: World, held: Infos, view: View, places: Places, outcome: Outcome, volatile: Collection[Key]
) -> None:
    """What a destroy has left is what the policies keep; it failed where one of them refuses, and only there.

    Args:
        world: what was taken down.
        held: what its server had before.
        view: what every server has now.
        places: the servers.
        outcome: how the destroy ended.
        volatile: streams in the memory of a server that was killed.
    """
    target, infos = places.all[world.place], view[world.place]
    full = {name for name in world.streams if held[name]["state"]["messages"]}
    there = {name for name in world.streams if infos and name in infos and _is_same(infos[name], held[name])}
    stopped = infos is None and isinstance(target, Own)
    kept = there | {name for name in world.streams if stopped and isinstance(target, Own) and target.keeps(name)}
    of = {policy: {name for name in world.streams if world.policy(name) == policy} for policy in POLICIES}
    in_memory = {name for name in of["retain"] if isinstance(target, Own) and world.streams[name].in_memory()}
    must_stay = (of["guard"] & full) | (of["retain"] - (in_memory - full))
    must_stay -= {name for place, name in volatile if place == world.place}
    assert must_stay <= kept, f"{sorted(must_stay - kept)} should have stayed: {outcome.text}"
    assert outcome.refused or not of["delete"] & kept, f"{sorted(of['delete'] & kept)} should be gone: {outcome.text}"
    refusing = of["guard"] & there or in_memory & there
    if not outcome.hit:
        assert bool(refusing) == outcome.refused, f"{sorted(refusing)} should refuse: {outcome.text}"
        unnamed = {name for name in refusing if name not in outcome.text}
        assert not unnamed, f"{sorted(unnamed)} should be named: {outcome.text}"


def _is_same(info: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return bool(info["created"] == before["created"])


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
    if not infos or name not in infos:
        return ledger.missing(key, None)
    found, url = held(infos[name]), places.url(place)
    if url and ledger.has_before(key, found.created):
        with raw_client(url) as raw:
            found = replace(found, numbers=frozenset(raw.numbers(name)))
    return ledger.missing(key, found)


def _created(state: Path) -> dict[str, str]:
    resources = json.loads(state.read_text())["checkpoint"]["latest"].get("resources", ())
    return {each["outputs"]["name"]: each["outputs"]["created"] for each in resources if each["type"] == _TYPE}


def _numbered(acks: Mapping[Key, list[Ack]]) -> dict[str, list[int]]:
    return {f"{place} {name}": [ack.number for ack in found] for (place, name), found in acks.items() if found}
