"""The text of a server's configuration."""

from __future__ import annotations

from pathlib import Path

from infra.servers.nats_conf import Cluster, Tls, server_config


def test_encryption() -> None:
    """The cipher is in the text, and of the key the name of a variable."""
    text = server_config(
        name="n",
        host="h",
        client_port=1,
        monitor_port=2,
        store_dir="/d",
        max_file_store=None,
        sync_interval="always",
        encryption="aes",
    )
    assert "  cipher: aes\n  key: $STREAMS_ENCRYPTION_KEY\n}" in text


def test_the_whole_text() -> None:
    """JetStream is on, its store and limit explicit, monitoring on the same address, the log limited."""
    assert server_config(
        name="prediction-streams-dev",
        host="127.0.0.1",
        client_port=4222,
        monitor_port=8222,
        store_dir='/data/"odd" folder',
        max_file_store=24696061952,
        sync_interval="always",
        log=Path("/data/nats.log"),
    ).splitlines() == [
        'server_name: "prediction-streams-dev"',
        'host: "127.0.0.1"',
        "port: 4222",
        'http: "127.0.0.1:8222"',
        "jetstream {",
        r'  store_dir: "/data/\"odd\" folder"',
        "  max_file_store: 24696061952",
        '  sync_interval: "always"',
        "}",
        'log_file: "/data/nats.log"',
        "logfile_size_limit: 64MB",
        "logfile_max_num: 2",
    ]


def test_the_server_decides_how_much_it_stores() -> None:
    """Without a limit of ours there is no line: its own default depends on the free disk."""
    assert "max_file_store" not in server_config(
        name="n", host="::1", client_port=1, monitor_port=2, store_dir="d", max_file_store=None, sync_interval="always"
    )


def test_tls() -> None:
    """With clients and on the monitoring; nodes show each other what they are, clients need not."""
    text = server_config(
        name="n", host="::1", client_port=1, monitor_port=2, store_dir="d", max_file_store=None, sync_interval="always",
        cluster=Cluster(name="n", listen="127.0.0.1:3", routes=("127.0.0.1:3",)),
        tls=Tls(ca="/ca", cert="/a b", key="/key"),
    )  # fmt: skip
    files = 'cert_file: "/a b", key_file: "/key", ca_file: "/ca"'
    lines = [line for line in text.splitlines() if "tls" in line or "http" in line]
    assert lines == [
        'https: "[::1]:2"',
        f"tls {{ {files}, timeout: 5 }}",
        f"  tls {{ {files}, verify: true, timeout: 5 }}",
    ]


def test_a_node_of_a_cluster() -> None:
    """It finds the others by their routes."""
    text = server_config(
        name="n-1",
        host="127.0.0.1",
        client_port=1,
        monitor_port=2,
        store_dir="d",
        max_file_store=None,
        sync_interval="always",
        cluster=Cluster(name="n", listen="127.0.0.1:3", routes=("127.0.0.1:3", "127.0.0.1:4")),
    )
    assert text.splitlines()[-5:] == [
        "cluster {",
        '  name: "n"',
        '  listen: "127.0.0.1:3"',
        '  routes: ["nats://127.0.0.1:3", "nats://127.0.0.1:4"]',
        "}",
    ]
