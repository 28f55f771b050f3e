"""A report for people: a table where there is room for one, else a block a stream."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from io import TextIOWrapper
from itertools import takewhile
from typing import Final, NoReturn, TypeAlias

from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from provisioner.schema.config import value_of
from provisioner.schema.fields import FIELDS
from provisioner.schema.model import StreamInfo
from provisioner.schema.stores import word_of
from provisioner.status.colours import COLOURS
from provisioner.status.consumer_table import consumer_table
from provisioner.status.detail_tables import detail_tables
from provisioner.status.figures import percentages
from provisioner.status.replicas import Replica
from provisioner.status.report import Report, moment
from provisioner.status.server_checks import Severity
from provisioner.status.stream_checks import StreamHealth, compared, shown
from provisioner.text import approximate_size, counted, printable
from provisioner.units import parse_time

Cell: TypeAlias = Callable[[StreamHealth, datetime], Text]

PIPED_WIDTH: Final = 120
_TABLE_WIDTH: Final = 110
_LONGEST_UNWRAPPED: Final = 28
_UNMANAGED_SHOWN: Final = 5
_DIFFERENT: Final = "yellow"
_NO_LEADER: Final = ("no leader", COLOURS[Severity.CRITICAL])
_LIMITS: Final = tuple(field for field in FIELDS if field.name.startswith("max_"))
_SECOND_NS: Final = 1_000_000_000
_AGES_S: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def show(report: Report, console: Console, now: datetime) -> None:
    """Print a report: the streams, the server, the verdict.

    Args:
        report: what to print.
        console: where.
        now: the time that ages end at.
    """
    if any(stream.state != "unknown" for stream in report.streams):
        for part in _streams(report, console.width, now):
            console.print(part)
            console.print()
    if report.consumers and report.streams[0].state != "unknown":
        console.print(consumer_table(report.consumers))
        console.print()
    for rows in detail_tables(report.streams[0], report.detail) if report.detail else ():
        console.print(rows)
        console.print()
    for line in (*result_lines(report), *unmanaged_lines(report), verdict(report)):
        console.print(line, soft_wrap=True)


class _StandardOutput(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the command line, instead of exiting with 1: that would be a state of health."""
        raise BrokenPipeError


def console() -> Console:
    """Standard output: colours only on a terminal; on a pipe a fixed width. Any character can be printed."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    output = _StandardOutput()
    return output if output.is_terminal else _StandardOutput(width=PIPED_WIDTH)


def age(time: str, now: datetime) -> str:
    """How long ago a time is, in whole units of the largest kind."""
    seconds = max(0, int(now.timestamp() - parse_time(time) / _SECOND_NS))
    unit, scale = next((pair for pair in _AGES_S.items() if seconds >= pair[1]), ("s", 1))
    return f"{seconds // scale}{unit}"


def _streams(report: Report, width: int, now: datetime) -> Iterator[RenderableType]:
    if width >= _TABLE_WIDTH:
        yield _table(report, now)
    else:
        yield from (_block(stream, now, _cells(report)) for stream in report.streams)


def _table(report: Report, now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    cells = _cells(report)
    for heading, cell in cells.items():
        longest = max(_longest_line(cell(stream, now)) for stream in report.streams)
        wraps = heading == "Stream" or longest > _LONGEST_UNWRAPPED
        justify: JustifyMethod = "right" if heading in _NUMBERS else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=not wraps)
    for stream in report.streams:
        table.add_row(*(cell(stream, now) for cell in cells.values()))
    return table


def _block(stream: StreamHealth, now: datetime, cells: Mapping[str, Cell]) -> Table:
    block = Table.grid(padding=(0, 2, 0, 0))
    for heading, cell in cells.items():
        block.add_row(heading, cell(stream, now))
    return block


def _name(stream: StreamHealth, _now: datetime) -> Text:
    lines = [(printable(stream.spec.name), "bold"), (printable(stream.spec.purpose), "dim")]
    return _lines([line for line in lines if line[0]])


def _subjects(stream: StreamHealth, _now: datetime) -> Text:
    change = next((change for change in stream.changes if change.field == "subjects"), None)
    live = [(f"(live: {printable(shown('subjects', change.old))})", _DIFFERENT)] if change else []
    return _lines([*((printable(subject), "") for subject in stream.spec.config["subjects"]), *live])


def _settings(stream: StreamHealth, _now: datetime) -> Text:
    """The limits that are set, and whatever else differs."""
    config = stream.spec.config
    limits = {f.name: value_of(config, f.name) for f in _LIMITS if value_of(config, f.name) != f.default}
    lines = {name: (f"{word_of(config['name'], name)} {shown(name, value)}", "") for name, value in limits.items()}
    others = [change for change in stream.changes if change.field != "subjects"]
    differing = {each.field: (f"{each.label} {compared(each)}", _DIFFERENT) for each in others}
    return _lines([(printable(text), style) for text, style in {**lines, **differing}.values()])


def _messages(stream: StreamHealth, now: datetime) -> Text:
    return _of_info(stream, lambda info: [f"{info.messages:,}", *_share(info, "max_msgs"), *_ages(info, now)])


def _used(stream: StreamHealth, _now: datetime) -> Text:
    return _of_info(stream, lambda info: [approximate_size(info.bytes), *_share(info, "max_bytes")])


def _consumers(stream: StreamHealth, _now: datetime) -> Text:
    return _of_info(stream, lambda info: [f"{info.consumers:,}"])


def _state(stream: StreamHealth, _now: datetime) -> Text:
    return Text(stream.state, COLOURS[stream.severity])


def placement_text(stream: StreamHealth, _now: datetime) -> Text:
    """The leader, then the others, each with how far it is behind or what is wrong with it."""
    where = stream.placement
    if not where:
        return Text("-")
    names = [*filter(None, [where.leader]), *(each.name for each in where.replicas)]
    shared = shared_prefix(names)
    lines = [(f"{printable(where.leader[shared:])}, leader", "")] if where.leader else [_NO_LEADER]
    return _lines([*lines, *((_replica(each, shared), _DIFFERENT if each.trouble else "") for each in where.replicas)])


def _replica(replica: Replica, shared: int) -> str:
    state = "lost" if replica.is_lost else f"lag {replica.lag:,}"
    return f"{printable(replica.name[shared:])}, {state}"


def shared_prefix(names: Sequence[str]) -> int:
    """How many characters of the nodes' names tell nothing: all begin with the stack's name and a dash."""
    columns = zip(*(name.split("-")[:-1] for name in names), strict=False)
    return sum(len(words[0]) + 1 for words in takewhile(lambda words: len(set(words)) == 1, columns))


def _cells(report: Report) -> Mapping[str, Cell]:
    return {**CELLS, "Replicas": placement_text} if report.is_cluster else CELLS


CELLS: Final[Mapping[str, Cell]] = {
    "Stream": _name,
    "State": _state,
    "Subjects": _subjects,
    "Settings": _settings,
    "Messages": _messages,
    "Used": _used,
    "Consumers": _consumers,
}
_NUMBERS: Final = ("Used", "Consumers")


def _of_info(stream: StreamHealth, read: Callable[[StreamInfo], list[str]]) -> Text:
    return Text("\n".join(read(stream.info)) if stream.info else "-")


def _ages(info: StreamInfo, now: datetime) -> list[str]:
    """How long ago the first and the last message came; nothing where there has been none."""
    times = {"first": moment(info.first_time), "last": moment(info.last_time)}
    return [f"{word} {age(time, now)} ago" for word, time in times.items() if time]


def _share(info: StreamInfo, limit: str) -> list[str]:
    """``3 % of 10.0 GiB``; nothing where there is no limit."""
    percent = percentages(info).get(limit)
    if percent is None:
        return []
    number = "<1" if 0 < percent < 1 else f"{percent:.0f}"
    return [f"{number} % of {shown(limit, value_of(info.config, limit))}"]


def result_lines(report: Report) -> Iterator[Text]:
    """The server's checks, and the problems of each stream that could be examined."""
    examined = [result for stream in report.streams if stream.state != "unknown" for result in stream.results]
    examined += [result for consumer in report.consumers for result in consumer.results]
    results = [*report.server, *(result for result in examined if result.severity)]
    width = max(len(result.name) for result in results)
    for result in results:
        severity = (f"{result.severity.name:<8}", COLOURS[result.severity])
        yield Text.assemble(severity, f"  {result.name:<{width}}  ", printable(result.text))


def unmanaged_lines(report: Report) -> Iterator[Text]:
    """The streams that no catalogue names: all of a few, else how many of each kind and the first."""
    names = [printable(str(stream)) for stream in report.listed]
    if len(names) > _UNMANAGED_SHOWN:
        kinds = Counter(stream.kind for stream in report.listed)
        counts = ", ".join(counted(number, kind) for kind, number in kinds.items())
        first = ", ".join(names[:_UNMANAGED_SHOWN])
        yield Text(f"Not in the catalogue: {counts}: {first}, …; patterns under ignore: in the catalogue hide them")
    elif names:
        yield Text(f"Not in the catalogue: {', '.join(names)}")


def verdict(report: Report) -> Text:
    """The gravest severity, and how many streams are in which state."""
    streams = _counts("stream", [stream.state for stream in report.streams])
    consumers = _counts("consumer", [consumer.state for consumer in report.consumers])
    told = "; ".join(filter(None, (streams, consumers)))
    return Text(f"{report.severity.name}{': ' if told else ''}{told}", COLOURS[report.severity])


def _counts(kind: str, states: list[str]) -> str:
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{counted(len(states), kind)}: {counts}" if counts else ""


def _longest_line(cell: Text) -> int:
    return max(len(line) for line in cell.plain.split("\n"))


def _lines(lines: list[tuple[str, str]]) -> Text:
    return Text("\n").join(Text(text, style) for text, style in lines)
