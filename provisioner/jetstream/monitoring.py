"""nats-server's HTTP monitoring: all endpoints at once, none waited for longer than the deadline."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final

MONITORING_TIMEOUT_S: Final = 2.0

# No proxy: the monitoring port is on this machine or on a network of our own.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """A JSON object, or the problem that there is none."""

    body: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


_LATE: Final = Answer(problem=f"no answer within {MONITORING_TIMEOUT_S:g} s")


def fetch(urls: str, paths: Collection[str]) -> dict[str, Answer]:
    """The answer of each path below an http(s) URL; of several, with commas between, from the first that answers."""
    answers: dict[str, Answer] = {}
    for url in urls.split(","):
        answers = _fetch(url, paths)
        if not all(answer.problem for answer in answers.values()):
            break
    return answers


def _fetch(url: str, paths: Collection[str]) -> dict[str, Answer]:
    """The answer of each path below a URL.

    A server that sends a byte now and then outlasts a socket's timeout, so each request has a
    thread of its own, which is abandoned at the deadline.
    """
    answers: dict[str, Answer] = {}

    def ask(path: str) -> None:
        answers[path] = _answer(url.rstrip("/") + path)

    threads = [threading.Thread(target=ask, args=(path,), daemon=True) for path in paths]
    deadline = time.monotonic() + MONITORING_TIMEOUT_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return {path: answers.get(path, _LATE) for path in paths}


def _answer(url: str) -> Answer:
    try:
        return _parsed(_read(url))
    except TimeoutError:
        return _LATE
    except (OSError, ValueError, HTTPException) as error:
        return Answer(problem=f"no answer: {_reason(error)}")


def _read(url: str) -> bytes:
    """The body; nats-server's error responses have one too."""
    try:
        with _OPENER.open(url, timeout=MONITORING_TIMEOUT_S) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as response:
        with response:
            return bytes(response.read())


def _parsed(text: bytes) -> Answer:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict):
        return Answer(body)
    return Answer(problem="is not an answer of nats-server; check the monitoring URL")


def _reason(error: Exception) -> str:
    """The operating system's own text, without the layers around it."""
    cause = getattr(error, "reason", None) or error
    return str(getattr(cause, "strerror", None) or cause or type(error).__name__)
