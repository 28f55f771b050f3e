"""nats-server's HTTP monitoring: all endpoints at once, none waited for longer than the deadline."""

from __future__ import annotations

import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final

from provisioner.errors import LoginRefused
from provisioner.jetstream import tls
from provisioner.jetstream.target import Credentials

MONITORING_TIMEOUT_S: Final = 2.0

_NOBODY: Final = Credentials()
_NO_TLS: Final = "the monitoring does not speak TLS there; write its URL with http://"


@dataclass(frozen=True)
class Answer:
    """A JSON object, or the problem that there is none."""

    body: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


_LATE: Final = Answer(problem=f"no answer within {MONITORING_TIMEOUT_S:g} s")


def fetch(urls: str, paths: Collection[str], credentials: Credentials = _NOBODY) -> dict[str, Answer]:
    """The answer of each path below an http(s) URL; of several, with commas between, from the first that answers."""
    answers: dict[str, Answer] = {}
    for url in urls.split(","):
        answers = fetch_each([url], paths, credentials)[url]
        if is_answered(answers):
            break
    return answers


def is_answered(answers: Mapping[str, Answer]) -> bool:
    """Whether there is a server at all."""
    return not all(answer.problem for answer in answers.values())


def fetch_each(
    urls: Collection[str], paths: Collection[str], credentials: Credentials = _NOBODY
) -> dict[str, dict[str, Answer]]:
    """The answer of each path below each of some http(s) URLs, all asked at once.

    Args:
        urls: of the monitoring, which has no login.
        paths: below each.
        credentials: of them only whom to trust.

    A server that sends a byte now and then outlasts a socket's timeout, so each request has a
    thread of its own, which is abandoned at the deadline.
    """
    answers: dict[str, Answer] = {}
    try:
        opener = _opener(urls, credentials)
    except LoginRefused as error:
        return {url: dict.fromkeys(paths, Answer(problem=f"not asked: {error}")) for url in urls}

    def ask(address: str) -> None:
        answers[address] = _answer(opener, address)

    asked = {url: {path: url.rstrip("/") + path for path in paths} for url in urls}
    addresses = [address for each in asked.values() for address in each.values()]
    threads = [threading.Thread(target=ask, args=(address,), daemon=True) for address in addresses]
    deadline = time.monotonic() + MONITORING_TIMEOUT_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return {url: {path: answers.get(address, _LATE) for path, address in each.items()} for url, each in asked.items()}


def _opener(urls: Collection[str], credentials: Credentials) -> urllib.request.OpenerDirector:
    """No proxy: the monitoring port is on this machine or on a network of our own."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if any(url.startswith("https:") for url in urls):
        handlers.append(urllib.request.HTTPSHandler(context=tls.monitoring_context(credentials)))
    return urllib.request.build_opener(*handlers)


def _answer(opener: urllib.request.OpenerDirector, url: str) -> Answer:
    try:
        return _parsed(_read(opener, url))
    except TimeoutError:
        return _LATE
    except (OSError, ValueError, HTTPException) as error:
        return Answer(problem=f"no answer: {_reason(error)}")


def _read(opener: urllib.request.OpenerDirector, url: str) -> bytes:
    """The body; nats-server's error responses have one too."""
    try:
        with opener.open(url, timeout=MONITORING_TIMEOUT_S) as response:
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
    cause = error if isinstance(error, ssl.SSLError) else getattr(error, "reason", None) or error
    if isinstance(cause, ssl.SSLError):
        problem = tls.problem(cause) or str(cause)
        return _NO_TLS if problem == tls.NO_TLS else problem
    return str(getattr(cause, "strerror", None) or cause or type(error).__name__)
