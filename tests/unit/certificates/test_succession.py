"""A development authority and what follows on it, judged by OpenSSL: who trusts what."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provisioner.certificates.authority import Pair, new_authority, sign
from provisioner.certificates.rehearsal import CertificateProblem, Files, Shown, certificates, rehearse
from provisioner.certificates.succession import first, renewed, succeeded

NOW = datetime.now(UTC)
NAMES = ["127.0.0.1", "::1", "localhost"]
WANTED = {"owner": "project/stack", "names": NAMES, "authority": 1.0, "certificate": 1.0}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """An authority and its certificate."""
    return first(WANTED, NOW)


def meet(folder: Path, ca: str, made: dict[str, Any], host: str = "127.0.0.1") -> Shown:
    """A client that trusts a CA meets a server, and two nodes meet each other."""
    texts = {"ca": ca, "cert": made["chain"], "key": made["key"]}
    files = {name: folder / name for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    return rehearse(Files(**files), host, [host])


@pytest.mark.parametrize("host", NAMES)
def test_it_is_for_its_names(tmp_path: Path, made: dict[str, Any], host: str) -> None:
    """Servers and nodes are met at each of them, for a year; the authority is there for ten."""
    shown = meet(tmp_path, made["ca"], made, host)
    assert made["fingerprint"] == shown.fingerprint
    assert made["ends"] == shown.ends.isoformat()
    assert [365, 3650] == [(datetime.fromisoformat(made[end]) - NOW).days + 1 for end in ("ends", "authority_ends")]


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com"])
def test_it_is_for_no_other(tmp_path: Path, made: dict[str, Any], host: str) -> None:
    """The line says which name is missing."""
    with pytest.raises(CertificateProblem, match=f"is not for {host}, where clients of this stack connect"):
        meet(tmp_path, made["ca"], made, host)


def test_another_certificate(tmp_path: Path, made: dict[str, Any]) -> None:
    """The same authority, another key."""
    after = renewed(made, WANTED, NOW)
    assert made["ca"] == after["ca"]
    assert made["key"] != after["key"]
    assert meet(tmp_path, made["ca"], after).fingerprint


def test_another_authority(tmp_path: Path, made: dict[str, Any]) -> None:
    """Who trusts the one before trusts the servers that have changed; who knows both trusts those that have not."""
    after = renewed(succeeded(made, WANTED, NOW), WANTED, NOW)  # what follows stays when the certificate is renewed
    assert made["authority_cert"] != after["authority_cert"]
    for ca in (made["ca"], after["authority_cert"], after["ca"]):
        assert meet(tmp_path, ca, after).fingerprint
    assert meet(tmp_path, after["ca"], made).fingerprint
    with pytest.raises(CertificateProblem, match="not signed by what ca has"):
        meet(tmp_path, after["authority_cert"], made)


def test_twice_another_authority(tmp_path: Path, made: dict[str, Any]) -> None:
    """The one before the last is trusted no more: so a stolen key is of no use."""
    after = succeeded(succeeded(made, WANTED, NOW), WANTED, NOW)
    assert made["authority_cert"] not in after["ca"]
    with pytest.raises(CertificateProblem, match="not signed by what ca has"):
        meet(tmp_path, made["ca"], after)
    with pytest.raises(CertificateProblem, match="not signed by what ca has"):
        meet(tmp_path, after["ca"], made)


def test_an_authority_that_has_ended(made: dict[str, Any]) -> None:
    """Nobody trusts it, so nothing follows on it."""
    after = succeeded(made, WANTED, NOW + 3651 * DAY)
    assert after["ca"] == after["authority_cert"]
    assert "previous" not in after


def test_no_certificate_outlives_its_authority() -> None:
    """Clients would refuse it then."""
    authority = new_authority("project/stack", NOW)
    assert sign(authority, "project/stack", NAMES, NOW + 3600 * DAY).ends == authority.ends


def test_no_key_shows(made: dict[str, Any]) -> None:
    """In no representation."""
    key = made["authority_key"]
    assert "PRIVATE" not in repr(Pair(made["authority_cert"], key))


def test_what_people_write_into_a_file(made: dict[str, Any]) -> None:
    """The certificates alone are handed on: OpenSSL takes no other text that is not ASCII."""
    written = f"# Nějaká CA\n{made['ca']}# and\n{made['chain']}".encode()
    assert made["ca"] + made["chain"] == certificates(written)
    ssl.create_default_context(cadata=certificates(written))


def test_files_that_cannot_be_used(tmp_path: Path, made: dict[str, Any]) -> None:
    """One line each; the words that say what to do are OpenSSL's judgement in ours."""
    other = first(WANTED, NOW)
    long_ago = sign(Pair(made["authority_cert"], made["authority_key"]), "x", NAMES, NOW - 400 * DAY)
    soon = sign(Pair(made["authority_cert"], made["authority_key"]), "x", NAMES, NOW + 3 * DAY)
    cases = {
        "ca: .*: is not in PEM": {**made, "ca": "nothing"},
        "cert and key: .*: is not in PEM": {**made, "chain": "nothing"},
        "key: .*: is not the key of the certificate in": {**made, "key": other["key"]},
        "cert: .*: is not signed by what ca has": {**made, "ca": other["ca"]},
        "cert: .*: has expired; renew it": {**made, "chain": long_ago.cert, "key": long_ago.key},
        "cert: .*: is not valid yet": {**made, "chain": soon.cert, "key": soon.key},
        "cert: .*: is not for servers": {**made, "chain": made["authority_cert"], "key": made["authority_key"]},
    }
    for expected, texts in cases.items():
        with pytest.raises(CertificateProblem) as problem:
            meet(tmp_path, texts["ca"], texts)
        assert re.match(expected, str(problem.value)), problem.value
        assert "\n" not in str(problem.value)
    with pytest.raises(CertificateProblem, match="ca: there is no file"):
        rehearse(Files(tmp_path / "none", tmp_path / "cert", tmp_path / "key"), "127.0.0.1")
