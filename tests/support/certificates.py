"""Certificates for a test, made with the openssl program: a CA of its own and what it signs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_DEADLINE_S = 30.0
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_HERE = "IP:127.0.0.1,DNS:localhost"


class Pair(NamedTuple):
    """The paths of a certificate and its private key."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A CA, in a folder of its own."""

    folder: Path

    @property
    def ca(self) -> Path:
        """The CA's certificate, which those trust who trust it."""
        return self.folder / "ca.pem"

    def sign(self, name: str, *, names: str = _HERE, days: int = 2) -> Pair:
        """A certificate for these host names; one that has expired where the days are negative."""
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(
            f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n"
            "basicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        _openssl("req", *_KEY, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        issuer = ("-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *issuer, "-days", days, "-extfile", extensions, "-out", pair.cert)
        return pair


def authority(folder: Path) -> Authority:
    """A new CA."""
    folder.mkdir(parents=True)
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    files = ("-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    _openssl("req", "-x509", *_KEY, *files, "-subj", f"/CN=CA {folder.name}", "-days", 2, *usage)
    return Authority(folder)


def encrypted(key: Path) -> Path:
    """The same private key behind a passphrase."""
    to = key.with_suffix(".encrypted")
    _openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", to)
    return to


def server_block(pair: Pair, rest: str = "") -> str:
    """What makes a nats-server show a certificate; of several blocks ``rest`` has the other lines."""
    return f'tls {{ cert_file: "{pair.cert}", key_file: "{pair.key}", {rest} }}\n'


def _openssl(*arguments: object) -> None:
    program = shutil.which("openssl")
    assert program, "no openssl program, with which the tests make their certificates"
    command = [program, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=_DEADLINE_S, stdin=subprocess.DEVNULL)
