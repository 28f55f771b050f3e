"""How long a request may take; every wait on a server has one of these."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Final

from provisioner.log import tell


def seconds(variable: str, default: float, environment: Mapping[str, str] = os.environ) -> float:
    """The seconds that a variable holds, else the default; of a value that cannot be used the user is told."""
    text = environment.get(variable, "")
    try:
        value = float(text or default)
    except ValueError:
        value = math.nan
    if 0 < value < math.inf:
        return value
    tell(f"{variable}: {text!r} is not a number of seconds above 0; {default:g} is used")
    return default


# A first contact outlasts a server that is just starting.
FIRST_CONTACT_TIMEOUT_S: Final = seconds("STREAMS_CONNECT_TIMEOUT", 6.0)
REQUEST_TIMEOUT_S: Final = seconds("STREAMS_REQUEST_TIMEOUT", 5.0)
# A cluster waits 4 s for the nodes that have yet to answer before it lists what the others have said.
LIST_TIMEOUT_S: Final = 7.0
# An update that deletes many messages is answered when they are gone: 200,000 took 88 s here.
LONGEST_REQUEST_TIMEOUT_S: Final = seconds("STREAMS_UPDATE_TIMEOUT", 600.0)
