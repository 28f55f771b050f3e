"""What makes a container harmless and is not among the docker plugin's properties."""

from __future__ import annotations

from typing import Any, Final

from provisioner.docker_engine.api import Engine
from provisioner.errors import ProvisionerError

# The user and the group of the server: no name, so that no image has to know it.
USER: Final = "65532:65532"
DATA_DIR: Final = "/data"
_CHOWN_TIMEOUT_S: Final = 600.0  # hundreds of thousands of files on a slow disk


def give_volume(engine: Engine, image: str, volume: str) -> None:
    """Make a volume the server's: one that is new is root's, and so is all that an older version has written.

    Nothing may write to it meanwhile. A container of a moment does it, with the right to do this and nothing else.

    Args:
        engine: the engine.
        image: an image that has ``chown``.
        volume: the volume's name.

    Raises:
        ProvisionerError: the engine refuses, or the container fails.
    """
    name = helper(volume)
    forget_helper(engine, volume)
    engine.change("POST", f"/containers/create?name={name}", _chown(image, volume))
    try:
        engine.change("POST", f"/containers/{name}/start")
        ended = engine.change("POST", f"/containers/{name}/wait", timeout=_CHOWN_TIMEOUT_S) or {}
    finally:
        forget_helper(engine, volume)
    if code := ended.get("StatusCode"):
        raise ProvisionerError(
            f"volume {volume}: chown {USER} ended with status {code}; the image {image} has to have it, as alpine does"
        )


def forget_helper(engine: Engine, volume: str) -> None:
    """Remove what a run that was killed has left in ``give_volume``: the volume could not go with it there."""
    engine.change("DELETE", f"/containers/{helper(volume)}?force=1")


def helper(volume: str) -> str:
    """The name of the container that gives a volume away."""
    return f"{volume}-owner"


def limit_pids(engine: Engine, container: str, pids: int) -> None:
    """Limit the processes and threads of a running container; the engine keeps it through restarts.

    Raises:
        ProvisionerError: the engine refuses.
    """
    engine.change("POST", f"/containers/{container}/update", {"PidsLimit": pids})


def _chown(image: str, volume: str) -> dict[str, Any]:
    return {
        "Image": image,
        "User": "0:0",
        "Entrypoint": ["chown", "-R", USER, DATA_DIR],
        "Cmd": None,
        "HostConfig": {
            "Binds": [f"{volume}:{DATA_DIR}"],
            "CapDrop": ["ALL"],
            "CapAdd": ["CHOWN", "DAC_READ_SEARCH"],  # its folders are closed even to root, once they are not root's
            "SecurityOpt": ["no-new-privileges:true"],
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
        },
    }
