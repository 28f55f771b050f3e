"""The answers of the JetStream API as plain data, or as the error that they are."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from provisioner.errors import ApiError, InvalidAnswer

_NOT_JETSTREAM: Final = "something other than JetStream answers"

_LOG: Final = logging.getLogger(__name__)


class _Body(dict[str, Any]):
    """A JSON object; what is missing from it is an InvalidAnswer wherever it is read."""

    def __missing__(self, key: str) -> Any:
        raise InvalidAnswer(f"an answer has no {key}; {_NOT_JETSTREAM}")


def answered(payload: bytes) -> dict[str, Any]:
    """The API's answer.

    Raises:
        ApiError: it is an error.
        InvalidAnswer: it is not a JSON object; or, when it is read, lacks what every such answer has.
    """
    try:
        answer = json.loads(payload, object_hook=_Body)
    except (ValueError, RecursionError) as cause:
        raise InvalidAnswer(f"an answer of {len(payload)} bytes is not JSON; {_NOT_JETSTREAM}") from cause
    if not isinstance(answer, _Body):
        raise InvalidAnswer(f"an answer is JSON but not an object; {_NOT_JETSTREAM}")
    if isinstance(error := answer.get("error"), _Body):
        code = error.get("err_code") or error["code"]
        _LOG.debug("error %s", code)
        raise ApiError(code, error.get("description", "no description"))
    return answer
