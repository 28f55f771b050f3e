"""The files of a Prometheus and a Grafana, and of the containers that run them."""

from __future__ import annotations

from typing import Any

import yaml

from provisioner.catalogue.reader import parse
from provisioner.watching.files import monitoring_files
from provisioner.watching.places import Places

CATALOGUE = parse("ORDERS: {subjects: [orders.*]}\n", "streams.yaml")


def files(**places: Any) -> dict[str, str]:
    """The files, with these places."""
    return monitoring_files(CATALOGUE, Places(**places), 0)


def compose(**places: Any) -> dict[str, Any]:
    """The containers by name."""
    services: dict[str, Any] = yaml.safe_load(files(**places)["compose.yaml"])["services"]
    return services


def test_every_file_that_is_mounted_is_written() -> None:
    """Or is in a folder that is."""
    written = files()
    mounts = [volume.split(":")[0] for each in compose().values() for volume in each["volumes"]]
    folders = [mount.removeprefix("./") for mount in mounts if mount.startswith("./")]

    assert [] == [folder for folder in folders if not any(path.startswith(folder) for path in written)]


def test_every_container_is_hardened() -> None:
    """Read-only, without capabilities, with limits to memory and log; what it offers is on the loopback."""
    for each in compose(monitor_url="http://127.0.0.1:8222").values():
        assert (True, ["ALL"], "host") == (each["read_only"], each["cap_drop"], each["network_mode"])
        assert {"max-size": "10m", "max-file": "3"} == each["logging"]["options"]
        assert "mem_limit" in each
        assert "127.0.0.1" in str(each.get("command", "")) + str(each.get("environment", ""))


def test_the_password_is_in_no_file() -> None:
    """Whoever runs Grafana gives it one; without, it does not start."""
    assert compose()["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"].startswith("${GRAFANA_PASSWORD:?")


def test_the_exporter_comes_with_a_monitoring_url() -> None:
    """It is asked for, and Prometheus scrapes it."""
    assert {"prometheus", "grafana"} == compose().keys()
    assert ["http://a:8222", "http://b:8222"] == compose(monitor_url="http://a:8222,http://b:8222")["exporter"][
        "command"
    ][-2:]
    jobs = yaml.safe_load(files(monitor_url="http://a:8222")["prometheus/prometheus.yml"])["scrape_configs"]
    assert {"streams": "127.0.0.1:9770", "nats": "127.0.0.1:7777"} == {
        job["job_name"]: job["static_configs"][0]["targets"][0] for job in jobs
    }
