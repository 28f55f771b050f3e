"""What services may do with buckets and object stores: permissions, and what the file may not say of them."""

from __future__ import annotations

import pytest

from provisioner.catalogue.reader import parse
from provisioner.errors import ServicesError
from provisioner.services.permissions import permissions
from provisioner.services.reader import read

CATALOGUE = parse(
    """
BOTH: {subjects: [both]}
buckets:
  A: {limit_marker_ttl: 1m}
  OLD: {allow_direct: false}
  M: {mirror: {name: A}}
  FAR: {mirror: {name: A, external: {api: $JS.hub.API}}}
  BOTH:
  TWO:
objects:
  F:
  TWO:
""",
    "c.yaml",
)
API = "$JS.API"


def _watching(stream: str) -> tuple[str, ...]:
    own = (f"{API}.CONSUMER.INFO.{stream}.*", f"{API}.CONSUMER.DELETE.{stream}.*")
    return (*own, f"$JS.FC.{stream}.>", f"$JS.FC._.szMpdrwD.{stream}.>")


def _watching_all(stream: str) -> tuple[str, ...]:
    return (*_watching(stream), f"{API}.CONSUMER.CREATE.{stream}", f"{API}.CONSUMER.CREATE.{stream}.>")


FOUND = (f"{API}.STREAM.MSG.GET.OBJ_F", f"{API}.DIRECT.GET.OBJ_F.$O.F.M.>")


@pytest.mark.parametrize(
    ("role", "stream", "expected"),
    [
        ("reads: [A]", "KV_A", (f"{API}.DIRECT.GET.KV_A", f"{API}.DIRECT.GET.KV_A.$KV.A.>")),
        ("reads: [KV_A]", "KV_A", (f"{API}.DIRECT.GET.KV_A", f"{API}.DIRECT.GET.KV_A.$KV.A.>")),
        ("reads: [{bucket: A, keys: [x, y.>]}]", "KV_A",
         (f"{API}.DIRECT.GET.KV_A.$KV.A.x", f"{API}.DIRECT.GET.KV_A.$KV.A.y.>")),
        ("reads: [OLD]", "KV_OLD", (f"{API}.STREAM.MSG.GET.KV_OLD",)),
        ("reads: [FAR]", "KV_FAR", (f"{API}.DIRECT.GET.KV_FAR", f"{API}.DIRECT.GET.KV_FAR.$KV.A.>")),
        ("reads: [BOTH]", "KV_BOTH", (f"{API}.DIRECT.GET.KV_BOTH", f"{API}.DIRECT.GET.KV_BOTH.$KV.BOTH.>")),
        ("writes: [A]", "KV_A", ("$KV.A.>",)),
        ("writes: [{bucket: A, keys: [user.*]}]", "KV_A", ("$KV.A.user.*",)),
        ("watches: [A]", "KV_A", _watching_all("KV_A")),
        ("watches: [{bucket: A, keys: [x]}]", "KV_A", (*_watching("KV_A"), f"{API}.CONSUMER.CREATE.KV_A.*.$KV.A.x")),
        ("reads: [F]", "OBJ_F", (f"{API}.STREAM.NAMES", *FOUND, *_watching_all("OBJ_F"))),
        ("writes: [F]", "OBJ_F", ("$O.F.C.>", "$O.F.M.>", *FOUND, f"{API}.STREAM.PURGE.OBJ_F")),
        ("creates: [A]", "KV_A", (f"{API}.STREAM.CREATE.KV_A", f"{API}.INFO")),
        ("creates: [OBJ_F]", "OBJ_F", (f"{API}.STREAM.CREATE.OBJ_F",)),
        ("creates: [BOTH]", "BOTH", (f"{API}.STREAM.CREATE.BOTH",)),
    ],
)  # fmt: skip
def test_of_a_service(role: str, stream: str, expected: tuple[str, ...]) -> None:
    """Each role by itself, with the permission to open the stream."""
    services = read(f"services: {{s: {{{role}}}}}", "s.yaml", CATALOGUE)
    opened = f"{API}.STREAM.INFO.{stream}"
    assert {opened, *expected} == {*permissions(services, CATALOGUE)["s"].publish}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("reads: [B]", "reads[0]: 'B' is no bucket or object store of the catalogue"),
        ("reads: [FARR]", "reads[0]: 'FARR' is no bucket or object store of the catalogue; did you mean FAR?"),
        ("writes: [A, TWO]", "writes[1]: 'TWO' is a bucket and an object store; write KV_TWO or OBJ_TWO"),
        ("creates: [TWO]", "creates[0]: 'TWO' is a bucket and an object store; write KV_TWO or OBJ_TWO"),
        ("reads: [A, A]", "reads[1]: 'A' is there twice; take one out"),
        ("reads: [M]", "reads[0]: M is a mirror: clients find its entries under A, and get them here; write A"),
        ("writes: [FAR]", "writes[0]: FAR is a mirror of a bucket elsewhere; writing to it has to be allowed there"),
        ("watches: [F]", "watches[0]: F is an object store: getting objects is watching them; write reads"),
        ("reads: [{bucket: F, keys: [a]}]", "reads[0]: F is an object store, which has no keys; take them out"),
        (
            "reads: [{bucket: OLD, keys: [a]}]",
            "reads[0]: OLD has allow_direct: false, so a permission cannot tell its keys apart; take keys out",
        ),
        (
            "writes: [{bucket: A, keys: ['a..b', 'a b', '{a}']}]",
            "\n".join(
                f"writes[0].keys[{at}]: '{key}' is no pattern of keys; write user.> or user.*.name"
                for at, key in enumerate(("a..b", "a b", "{a}"))
            ),
        ),
        (
            "watches: [{bucket: A, keys: ['user.*', 'user.*.x']}]",
            "watches[0].keys[0]: 'user.*' would also let user.> through: a permission cannot tell; write user.>",
        ),
        ("reads: [{bucket: A, keys: ['*']}]",
         "reads[0].keys[0]: '*' would also let > through: a permission cannot tell; write >"),
        ("reads: [{keys: [x]}]", "reads[0]: needs bucket"),
        ("reads: [{bucket: A, key: [x]}]", "reads[0].key: unknown field; did you mean keys?"),
    ],
)  # fmt: skip
def test_problems(role: str, expected: str) -> None:
    """Each is one line, with its place and what to do."""
    with pytest.raises(ServicesError) as error:
        read(f"services: {{s: {{{role}}}}}", "s.yaml", CATALOGUE)
    assert [f"s.yaml:1: services.s.{line}" for line in expected.splitlines()] == str(error.value).splitlines()
