"""How long a request may take; every wait on a server has one of these."""

from __future__ import annotations

import os
from typing import Final

# Seconds. A first contact outlasts a server that is just starting.
FIRST_CONTACT_TIMEOUT_S: Final = float(os.environ.get("STREAMS_CONNECT_TIMEOUT", "10"))
REQUEST_TIMEOUT_S: Final = float(os.environ.get("STREAMS_REQUEST_TIMEOUT", "5"))
