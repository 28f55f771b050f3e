"""A report for people: a table where there is room for one, else a block a stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from io import TextIOWrapper
from typing import Final, TypeAlias

from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from provisioner.schema.config import value_of
from provisioner.schema.fields import BY_NAME, FIELDS
from provisioner.schema.model import StreamInfo
from provisioner.status.report import Report, moment
from provisioner.status.server_checks import Severity
from provisioner.status.stream_checks import StreamHealth, compared, percentages, shown
from provisioner.text import approximate_size, printable

Cell: TypeAlias = Callable[[StreamHealth, datetime], Text]

PIPED_WIDTH: Final = 120
_ROOM_FOR_A_TABLE: Final = 110
_LONGEST_UNWRAPPED: Final = 28
_DIFFERENT: Final = "yellow"
_COLOURS: Final = {
    Severity.OK: "green",
    Severity.WARNING: "yellow",
    Severity.CRITICAL: "bold red",
    Severity.UNKNOWN: "magenta",
}
_LIMITS: Final = tuple(field for field in FIELDS if field.name.startswith("max_"))
_AGES: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def show(report: Report, console: Console, now: datetime) -> None:
    """Print it: the streams, the server, the verdict.

    Args:
        report: what to show.
        console: where to.
        now: the time that ages count to.
    """
    if any(stream.state != "unknown" for stream in report.streams):
        for part in _streams(report, console.width, now):
            console.print(part)
            console.print()
    for line in (*_result_lines(report), *_unmanaged_lines(report), _verdict(report)):
        console.print(line, soft_wrap=True)


def console() -> Console:
    """Colours only for a terminal; a pipe has a width that logs can show. No character is too much for it."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    plain = Console()
    return plain if plain.is_terminal else Console(width=PIPED_WIDTH)


def age(time: str, now: datetime) -> str:
    """How long ago, in whole units of the largest kind."""
    seconds = max(0, int((now - datetime.fromisoformat(time)).total_seconds()))
    unit, scale = next((pair for pair in _AGES.items() if seconds >= pair[1]), ("s", 1))
    return f"{seconds // scale}{unit}"


def _streams(report: Report, width: int, now: datetime) -> Iterator[RenderableType]:
    if width >= _ROOM_FOR_A_TABLE:
        yield _table(report, now)
    else:
        yield from (_block(stream, now) for stream in report.streams)


def _table(report: Report, now: datetime) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0))
    for heading, cell in CELLS.items():
        longest = max(_longest_line(cell(stream, now)) for stream in report.streams)
        wraps = heading == "Stream" or longest > _LONGEST_UNWRAPPED
        justify: JustifyMethod = "right" if heading in _NUMBERS else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=not wraps)
    for stream in report.streams:
        table.add_row(*(cell(stream, now) for cell in CELLS.values()))
    return table


def _block(stream: StreamHealth, now: datetime) -> Table:
    block = Table.grid(padding=(0, 2, 0, 0))
    for heading, cell in CELLS.items():
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
    """The limits there are, and whatever else differs."""
    wanted = stream.spec.config
    given = {f.name: value_of(wanted, f.name) for f in _LIMITS if value_of(wanted, f.name) != f.default}
    lines = {name: (f"{name} {shown(name, value)}", "") for name, value in given.items()}
    differing = {c.field: (f"{c.field} {compared(c)}", _DIFFERENT) for c in stream.changes if c.field != "subjects"}
    return _lines([(printable(text), style) for text, style in {**lines, **differing}.values()])


def _messages(stream: StreamHealth, now: datetime) -> Text:
    return _of_live(stream, lambda live: [f"{live.messages:,}", *_share(live, "max_msgs"), *_ages(live, now)])


def _used(stream: StreamHealth, _now: datetime) -> Text:
    return _of_live(stream, lambda live: [approximate_size(live.bytes), *_share(live, "max_bytes")])


def _consumers(stream: StreamHealth, _now: datetime) -> Text:
    return _of_live(stream, lambda live: [f"{live.consumers:,}"])


def _state(stream: StreamHealth, _now: datetime) -> Text:
    return Text(stream.state, _COLOURS[stream.severity])


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


def _of_live(stream: StreamHealth, read: Callable[[StreamInfo], list[str]]) -> Text:
    return Text("\n".join(read(stream.live)) if stream.live else "-")


def _ages(live: StreamInfo, now: datetime) -> list[str]:
    """How long ago the first and the last message came, of those there have been."""
    times = {"first": moment(live.first_time), "last": moment(live.last_time)}
    return [f"{word} {age(time, now)} ago" for word, time in times.items() if time]


def _share(live: StreamInfo, limit: str) -> list[str]:
    """``3 % of 10GiB``; nothing where there is no limit."""
    percent = percentages(live).get(limit)
    if percent is None:
        return []
    number = "<1" if 0 < percent < 1 else f"{percent:.0f}"
    return [f"{number} % of {BY_NAME[limit].type.show(value_of(live.config, limit))}"]


def _result_lines(report: Report) -> Iterator[Text]:
    """The server's checks, and what is wrong with a stream that was seen."""
    seen = [result for stream in report.streams if stream.state != "unknown" for result in stream.results]
    results = [*report.server, *(result for result in seen if result.severity)]
    width = max(len(result.name) for result in results)
    for result in results:
        severity = (f"{result.severity.name:<8}", _COLOURS[result.severity])
        yield Text.assemble(severity, f"  {result.name:<{width}}  ", printable(result.text))


def _unmanaged_lines(report: Report) -> Iterator[Text]:
    if report.unmanaged:
        yield Text(f"Not in the catalogue: {printable(', '.join(map(str, report.unmanaged)))}")


def _verdict(report: Report) -> Text:
    """The worst, and how many streams are in which state."""
    states = [stream.state for stream in report.streams]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    told = f": {len(states)} streams: {counts}" if counts else ""
    return Text(f"{report.severity.name}{told}", _COLOURS[report.severity])


def _longest_line(cell: Text) -> int:
    return max(len(line) for line in cell.plain.split("\n"))


def _lines(lines: list[tuple[str, str]]) -> Text:
    return Text("\n").join(Text(text, style) for text, style in lines)
