"""Streams that give their messages to each other: what a server refuses, what goes round, what ends."""

from __future__ import annotations

from typing import Any, Final

REFUSED, LOOPS, ENDS = "refused", "loops", "ends"


def _to(src: str, dest: str) -> dict[str, Any]:
    return {"republish": {"src": src, "dest": dest}}


def _as(src: str, dest: str) -> dict[str, Any]:
    return {"subject_transform": {"src": src, "dest": dest}}


_A, _B, _C = ({"name": name, "subjects": [f"{name.lower()}.>"]} for name in "ABC")
_M: Final = {"name": "M", "mirror": {"name": "A"}}

# What happens, streams in the order of their creation; a message goes to a.x, and one to b.x.
CASES: Final[dict[str, tuple[str, list[dict[str, Any]]]]] = {
    "to nobody": (ENDS, [_A | _to("a.>", "x.>")]),
    "to another": (ENDS, [_B, _A | _to("a.>", "b.>")]),
    "to itself": (REFUSED, [_A | _to("a.>", "a.y.>")]),
    "to itself by a transform": (REFUSED, [_A | _as("a.>", "z.>") | _to("z.>", "a.>")]),
    "there and back": (LOOPS, [_A | _to("a.>", "b.>"), _B | _to("b.>", "a.>")]),
    "there and back, with more in each round": (LOOPS, [_A | _to("a.>", "b.k.>"), _B | _to("b.>", "a.>")]),
    "by three": (LOOPS, [_A | _to("a.>", "b.>"), _B | _to("b.>", "c.>"), _C | _to("c.>", "a.>")]),
    "into a cycle": (LOOPS, [_C | _to("c.>", "a.>"), _A | _to("a.>", "b.>"), _B | _to("b.>", "a.>")]),
    "other subjects back": (ENDS, [_A | _to("a.x", "b.x"), _B | _to("b.y", "a.y")]),
    "back to what is not republished": (ENDS, [_A | _to("a.x", "b.x"), _B | _to("b.>", "a.y.>")]),
    "a wildcard that decides": (ENDS, [_A | _to("a.*", "b.y.$1"), _B | _to("b.x.*", "a.$1")]),
    "a wildcard there and back": (LOOPS, [_A | _to("a.*", "b.{{wildcard(1)}}"), _B | _to("b.*", "a.$1")]),
    "a transform between": (LOOPS, [_A | _to("a.>", "b.>"), _B | _as("b.>", "k.>") | _to("k.>", "a.>")]),
    "a transform aside": (ENDS, [_A | _to("a.>", "b.>"), _B | _as("b.>", "k.>") | _to("b.>", "a.>")]),
    "a mirror to its origin": (LOOPS, [_A, _M | _to(">", ">")]),
    "a mirror of other subjects": (
        ENDS,
        [_A, {"name": "M", "mirror": {"name": "A", "filter_subject": "a.x"}} | _to("a.x", "a.y")],
    ),
    "a mirror that changes subjects": (
        LOOPS,
        [_A, {"name": "M", "mirror": {"name": "A", "subject_transforms": [{"src": "a.>", "dest": "m.>"}]}}
         | _to("m.>", "a.>")],
    ),
    "sourced messages": (ENDS, [_B, {"name": "A", "sources": [{"name": "B"}]} | _to(">", ">")]),
    "two mirrors": (REFUSED, [{"name": "A", "mirror": {"name": "B"}}, {"name": "B", "mirror": {"name": "A"}}]),
    "sources of each other": (REFUSED, [_A | {"sources": [{"name": "B"}]}, _B | {"sources": [{"name": "A"}]}]),
    "sources of others' subjects": (
        ENDS,
        [stream | {"sources": [{"name": name, "filter_subject": "c.>"}]} for stream, name in ((_A, "B"), (_B, "A"))],
    ),
    "buckets": (
        LOOPS,
        [{"name": f"KV_{one}", "subjects": [f"$KV.{one}.>"]} | _to(f"$KV.{one}.>", f"$KV.{other}.>")
         for one, other in ("AB", "BA")],
    ),
}  # fmt: skip
