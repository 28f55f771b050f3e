"""A server or cluster that is there already: nothing to make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.servers import Endpoint

if TYPE_CHECKING:
    from infra.settings import Settings


def launch(settings: Settings) -> Endpoint:
    """Point at the server the settings name; `settings.url` is checked to be there."""
    url = settings.url or ""
    return Endpoint(url=url, monitor_url=None, ready=url, store=url, resources=())
