"""The classes of a Pulumi program, with an argument for each row of the field tables: what editors and mypy see."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from provisioner.resources.wording import CONSUMER, KEY_VALUE, OBJECT_STORE, STREAM, Wording
from provisioner.schema.fields import BY_NAME, SOURCE, TRANSFORM
from provisioner.schema.scalars import Choice, Count, Duration, Flag, Labels, Member, Size, Text, Timestamp
from provisioner.schema.types import Field, FieldType, ListOf, Record

_WIDTH: Final = 120
_BY: Final = "Written by ``make docs`` from the tables in ``provisioner/schema``: edit those."
_PLACE = "    "


def _record(type_: FieldType) -> Record:
    inner = type_.entry if isinstance(type_, ListOf) else type_
    assert isinstance(inner, Record)  # noqa: S101 - of the table
    return inner


def _inner(record: Record, name: str) -> Record:
    return _record(next(field.type for field in record.fields if field.name == name))


# What a block is called in a program, and what it is; those that are in others come first.
BLOCKS: Final[Mapping[str, tuple[Record, str]]] = {
    "SubjectTransform": (TRANSFORM, "A mapping of subjects."),
    "External": (_inner(SOURCE, "external"), "Where the stream of a source is, when not in this account."),
    "SourceConsumer": (_inner(SOURCE, "consumer"), "The consumer that a source reads through, made beforehand."),
    "Source": (SOURCE, "Where a mirror or a source takes its messages from."),
    "Republish": (_record(BY_NAME["republish"].type), "Where each stored message is published again."),
    "Placement": (_record(BY_NAME["placement"].type), "Which servers hold a stream."),
    "ConsumerLimits": (_record(BY_NAME["consumer_limits"].type), "Limits and defaults for a stream's consumers."),
}
# A number, or none.
_LIMIT: Final = "Limit"
_PLAIN: Final[tuple[tuple[type, str], ...]] = (
    (Text, "str"),
    (Timestamp, "str"),
    (Flag, "bool"),
    (Size, "int | str"),
    (Duration, "str"),
    (Labels, "Mapping[str, Input[str]]"),
)


@dataclass(frozen=True)
class Shape:
    """What a class is beside its arguments.

    Attributes:
        name: the class.
        file: its module.
        wording: its words.
        provider: the module and class of its provider.
        doc: its docstring: the first line, and after an empty one what else there is to say.
        outputs: what it has once it is made, with their types.
        base: what it is derived from.
        placed: the arguments that say where it is.
    """

    name: str
    file: str
    wording: str
    provider: tuple[str, str]
    doc: str
    outputs: tuple[tuple[str, str, str], ...]
    base: str = "Managed"
    placed: tuple[tuple[str, str, str], ...] = (("server", "Server", "The server that it is on."),)

    @property
    def words(self) -> Wording:
        return _WORDINGS[self.wording]


_WORDINGS: Final[Mapping[str, Wording]] = {
    "STREAM": STREAM,
    "KEY_VALUE": KEY_VALUE,
    "OBJECT_STORE": OBJECT_STORE,
    "CONSUMER": CONSUMER,
}
_CREATED: Final = ("created", "str", "When the server made it, in RFC 3339.")
_URL: Final = ("url", "str", "Where the server is.")
SHAPES: Final = (
    Shape(
        "Stream",
        "stream",
        "STREAM",
        ("stream", "StreamProvider"),
        "A JetStream stream.",
        (("name", "str", "Its name."), ("subjects", "list[str]", "The subjects that are said."), _CREATED, _URL),
    ),
    Shape(
        "KeyValue",
        "key_value",
        "KEY_VALUE",
        ("buckets", "KeyValueProvider"),
        "A key-value bucket.",
        (("bucket", "str", "Its name."), _CREATED, _URL),
    ),
    Shape(
        "ObjectStore",
        "object_store",
        "OBJECT_STORE",
        ("buckets", "ObjectStoreProvider"),
        "An object store.",
        (("bucket", "str", "Its name."), _CREATED, _URL),
    ),
    Shape(
        "Consumer",
        "consumer",
        "CONSUMER",
        ("consumer", "ConsumerProvider"),
        "A durable consumer of a stream; it is deleted with it.",
        (("stream", "str", "Its stream's name."), ("durable_name", "str", "Its name."), _URL),
        base="OnStream",
        placed=(
            ("stream", "Stream | Input[str]", "Its stream, or the name of one that is not the program's."),
            ("server", "Server | None = None", "The server of that one; else its stream's."),
        ),
    ),
)


def blocks(_table: str) -> str:
    """The module of blocks and choices."""
    choices = {_alias(field): field for shape in SHAPES for field in shape.words.fields if _words(field.type)}
    lines = [
        f'"""Blocks and choices. {_BY}"""',
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Sequence",
        "from typing import Literal, Required, TypedDict",
        "",
        "from pulumi import Input",
        "",
        f'{_LIMIT} = int | Literal["unlimited"]',
        *(line for name, field in choices.items() for line in _choice(name, _words(field.type))),
    ]
    for name, (record, doc) in BLOCKS.items():
        lines += ["", "", f"class {name}(TypedDict, total=False):", f'    """{doc}', "", "    Attributes:"]
        lines += [line for field in record.fields for line in _described(field.name, field.doc, "        ")]
        lines += ['    """', ""]
        lines += [f"    {field.name}: {_in_block(record, field)}" for field in record.fields]
    return "\n".join(lines) + "\n"


def module(shape: Shape, _table: str) -> str:
    """The module of one class."""
    fields = [field for field in shape.words.fields if field.name not in {name for name, *_rest in shape.placed}]
    arguments = [
        *((name, kind, doc) for name, kind, doc in shape.placed),
        *((field.name, f"Input[{_type(field)}] | None = None", _doc(shape, field)) for field in fields),
        ("opts", "pulumi.ResourceOptions | None = None", "Pulumi's options."),
    ]
    body = [f'class {shape.name}({shape.base}, module="jetstream", name="{shape.name}"):', f'    """{shape.doc}', ""]
    body += ["    Args:", "        resource_name: its name in Pulumi's state."]
    body += [line for name, _kind, doc in arguments for line in _described(name, doc, "        ")]
    body += ["", "    Attributes:"]
    body += [line for name, _kind, doc in shape.outputs for line in _described(name, doc, "        ")]
    body += ["", "    Raises:", "        ArgumentError: an argument is wrong: one line for each.", '    """', ""]
    body += [f"    wording = {shape.wording}", f"    provider = {shape.provider[1]}"]
    body += [f"    {name}: pulumi.Output[{kind}]" for name, kind, _doc in shape.outputs]
    body += ["", "    @named", "    def __init__(  # noqa: PLR0913 - one for each field", "        self,"]
    body += ["        resource_name: str,", "        *,"]
    body += [f"        {name}: {kind}," for name, kind, _doc in arguments]
    body += ["    ) -> None:", "        given = {"]
    body += [f'            "{name}": {_given(shape, name)},' for name in _given_names(shape, fields)]
    body += ["        }"]
    outputs = ", ".join(_quoted(name) for name, *_rest in shape.outputs if name != "url")
    body += [f"        super().__init__(resource_name, given, server, opts, ({outputs}))"]
    return "\n".join([*_head(shape, "\n".join(body)), "", "", *body]) + "\n"


def _head(shape: Shape, body: str) -> Iterable[str]:
    """The imports, of what the body names."""
    collections = [name for name in ("Mapping", "Sequence") if f"{name}[" in body]
    from_blocks = sorted(name for name in (*BLOCKS, *_aliases(), _LIMIT) if f"Input[{name}]" in body)
    yield f'"""``{shape.name}``. {_BY}"""'
    yield ""
    yield "from __future__ import annotations"
    yield ""
    if collections:
        yield f"from collections.abc import {', '.join(collections)}"
        yield ""
    yield "import pulumi"
    yield "from pulumi import Input"
    yield ""
    yield f"from provisioner.providers.{shape.provider[0]} import {shape.provider[1]}"
    yield from _import("provisioner.resources.blocks", from_blocks)
    yield "from provisioner.resources.errors import named"
    yield f"from provisioner.resources.managed import {shape.base}"
    yield "from provisioner.resources.server import Server"
    if "Stream | " in body:
        yield "from provisioner.resources.stream import Stream"
    yield f"from provisioner.resources.wording import {shape.wording}"


def _import(place: str, names: list[str]) -> Iterable[str]:
    line = f"from {place} import {', '.join(names)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"from {place} import ("
    yield from (f"    {name}," for name in names)
    yield ")"


def _given_names(shape: Shape, fields: list[Field]) -> Iterable[str]:
    return (*(name for name, *_rest in shape.placed if name != "server"), *(field.name for field in fields))


def _given(shape: Shape, name: str) -> str:
    """A resource has its name in the state for a name, unless it says another."""
    return f"resource_name if {name} is None else {name}" if name == shape.words.identity else name


def _doc(shape: Shape, field: Field) -> str:
    if field.name == shape.words.identity:
        return f"{field.doc.rstrip('.')}; that of the resource."
    doc = field.doc.replace("the stack's onDelete", "the server's on_delete")
    return doc if field.since <= _OLDEST else f"{doc} Since nats-server {'.'.join(map(str, field.since))}."


_OLDEST: Final = (2, 10)


def _described(name: str, doc: str, indent: str) -> list[str]:
    return textwrap.wrap(
        f"{name}: {doc}", _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}{_PLACE}", break_on_hyphens=False
    )


def _in_block(record: Record, field: Field) -> str:
    kind = f"Input[{_type(field)}]"
    return f"Required[{kind}]" if field.name in record.required else kind


def _type(field: Field) -> str:
    return _alias(field) if _words(field.type) else _of(field.type)


def _of(type_: FieldType) -> str:
    if isinstance(type_, ListOf):
        return f"Sequence[Input[{_of(type_.entry)}]]"
    if isinstance(type_, Record):
        return next(name for name, (record, _doc) in BLOCKS.items() if record == type_)
    if isinstance(type_, Count):
        return _LIMIT if type_.limit else "int"
    return next(text for kind, text in _PLAIN if isinstance(type_, kind))


def _words(type_: FieldType) -> tuple[str, ...]:
    if isinstance(type_, Member):
        return tuple(member.value for member in type_.members)
    return type_.words if isinstance(type_, Choice) else ()


def _alias(field: Field) -> str:
    return "".join(map(str.capitalize, field.name.split("_")))


def _aliases() -> set[str]:
    return {_alias(field) for shape in SHAPES for field in shape.words.fields if _words(field.type)}


def _choice(name: str, words: tuple[str, ...]) -> list[str]:
    line = f"{name} = Literal[{', '.join(map(_quoted, words))}]"
    return [line] if len(line) <= _WIDTH else [f"{name} = Literal[", *(f"    {_quoted(word)}," for word in words), "]"]


def _quoted(word: str) -> str:
    return f'"{word}"'


_TABLES: Final = "../provisioner/schema/fields.py"
# As docs/generate.py has them: file, the file it is made from, how.
MODULES: Final[tuple[tuple[str, str, Callable[[str], Any]], ...]] = (
    ("../provisioner/resources/blocks.py", _TABLES, blocks),
    *((f"../provisioner/resources/{shape.file}.py", _TABLES, partial(module, shape)) for shape in SHAPES),
)
