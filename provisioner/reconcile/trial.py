"""A restore tried out beside its stream, before that is deleted, where the server may not be able to make it.

A server that syncs every message gives up on a restore if what it takes at once, some 1 MiB of messages, is not synced
within 5 seconds: a question of the disk and of the messages' size.
"""

from __future__ import annotations

from typing import Final

from provisioner.backup.archive import Manifest
from provisioner.backup.carry_folder import CarryFolder
from provisioner.backup.progress import Meter
from provisioner.backup.restore import Successor, restore
from provisioner.errors import BackupError, Conflict
from provisioner.jetstream.codec import to_request
from provisioner.reconcile.context import Context
from provisioner.rules.intake import closed
from provisioner.schema.model import StreamConfig

# So few messages any disk has synced in time.
_SURELY_RESTORED: Final = 200
# Metadata of a trial: when the stream was created that is to be carried over.
_TRIAL: Final = "pulumi.trial"


def try_out(context: Context, folder: CarryFolder, manifest: Manifest, config: StreamConfig) -> None:
    """Restore a copy under another name and delete that again.

    Args:
        context: the server and the run.
        folder: where the copy is; it is dropped if the server cannot take it.
        manifest: the copy's.
        config: what it is to be restored as.

    Raises:
        Conflict: the server cannot take the copy, or has somebody else's stream under the trial's name.
    """
    if manifest.messages < _SURELY_RESTORED or context.server.facts(config["name"]).syncs_always is False:
        return
    trial = _trial(config, manifest)
    successor = Successor(config=to_request(trial), removed=manifest.messages, on_whole=lambda *_whole: None)
    _drop(context, trial["name"])  # of a run that was cut short
    try:
        restore(context.client(), folder.copy, Meter().show, successor)
    except BackupError as error:
        folder.drop()
        what = "the server could not take the copy back, so nothing was changed"
        raise Conflict(f"{config['name']}: {what}: {error}") from error
    finally:
        _drop(context, trial["name"])


def _trial(config: StreamConfig, manifest: Manifest) -> StreamConfig:
    named: StreamConfig = {**config, "name": f"_trial_{config['name']}", "max_bytes": -1}
    return {**closed(named), "metadata": {**config["metadata"], _TRIAL: manifest.created}}


def _drop(context: Context, name: str) -> None:
    """Delete a trial.

    Raises:
        Conflict: the stream of that name is somebody else's.
    """
    info = context.client().stream(name)
    if info and _TRIAL not in info.config["metadata"]:
        raise Conflict(f"{name} is on the server, where the copy would be tried out: delete it, or keep it elsewhere")
    if info:
        context.client().delete(name)
