"""What an operator signs: tokens as nats-server's own tools make them, read back and verified."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import nkeys
import pytest

from provisioner.catalogue.reader import parse
from provisioner.errors import ServicesError
from provisioner.services.account_key import account_key
from provisioner.services.jwt import creds, token
from provisioner.services.logins import SigningKey
from provisioner.services.operator_block import operator_block
from provisioner.services.reader import read

STREAMS = parse("ORDERS: {subjects: [orders.x]}", "streams.yaml")
ACCOUNT = "account: {name: APP, max_mem: 0, max_file: 1GiB, max_connections: 7, max_payload: 2KiB}\n"
TEXT = f"login: creds\n{ACCOUNT}services: {{s: {{purpose: 'Sends \"orders\"', publishes: [orders.x]}}}}\n"
OPERATOR = nkeys.encode_seed(b"o" * 32, nkeys.PREFIX_BYTE_OPERATOR).decode()
KEYS = {name: SigningKey("A" + letter * 55) for name, letter in (("s", "B"), ("provisioner", "C"), ("monitoring", "D"))}


def decoded(jwt: str) -> dict[str, Any]:
    """The claims of a token whose signature, header and number are right."""
    header, body, signature = jwt.split(".")
    assert {"typ": "JWT", "alg": "ed25519-nkey"} == json.loads(_bytes(header))
    claims: dict[str, Any] = json.loads(_bytes(body))
    raw = base64.b32decode(claims["iss"])
    nkeys.KeyPair(keys=_Signer(raw[1:33])).verify(f"{header}.{body}".encode(), _bytes(signature))
    identified = json.dumps({k: v for k, v in claims.items() if k != "jti"}, separators=(",", ":")).encode()
    assert base64.b32encode(hashlib.new("sha512_256", identified).digest()).decode().rstrip("=") == claims["jti"]
    return claims


class _Signer:
    """What nkeys takes for a pair when it has the public half alone."""

    def __init__(self, public: bytes) -> None:
        import nacl.signing  # noqa: PLC0415

        self.verify_key = nacl.signing.VerifyKey(public)


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def block() -> dict[str, str]:
    """The configuration's lines."""
    text = operator_block(read(TEXT, "services.yaml", STREAMS), STREAMS, KEYS, OPERATOR)
    assert OPERATOR not in text
    return dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith("#"))


def test_the_account_says_who_may_do_what() -> None:
    """Its limits under the token's names; for each identity the key that lets it in, and its permissions."""
    claims = decoded(block()[account_key("APP")])
    assert account_key("APP") == claims["sub"]
    assert claims["name"] == "APP"
    said = claims["nats"]
    assert {
        "mem_storage": 0,
        "disk_storage": 1024**3,
        "conn": 7,
        "payload": 2048,
        "streams": -1,
        "consumer": -1,
    }.items() <= (said["limits"].items())
    scopes = {scope["role"]: scope for scope in said["signing_keys"]}
    assert {name: key.public for name, key in KEYS.items()} == {name: scope["key"] for name, scope in scopes.items()}
    assert scopes["s"]["template"]["pub"] == {"allow": ["orders.x"]}
    assert scopes["s"]["template"]["sub"] == {"allow": ["_INBOX_s.>"]}


def test_the_system_account_lets_nobody_in() -> None:
    """It has no signing key, and the operator, whom the server trusts, names it."""
    lines = block()
    operator = decoded(lines["operator"])
    assert operator["iss"] == operator["sub"]
    assert lines["system_account"] == operator["nats"]["system_account"]
    assert "signing_keys" not in decoded(lines[lines["system_account"]])["nats"]


def test_the_same_is_the_same_text() -> None:
    """An up without a change changes nothing."""
    assert block() == block()


def test_people_can_read_it() -> None:
    """A plan's difference names the subjects, which the token hides."""
    text = operator_block(read(TEXT, "services.yaml", STREAMS), STREAMS, KEYS, OPERATOR)
    assert '# s: Sends "orders"\n#   publish orders.x\n#   subscribe _INBOX_s.>\n' in text


def test_a_key_that_is_none() -> None:
    """It is refused, as a login is."""
    with pytest.raises(ServicesError, match="logins: s: is not an account's public nkey"):
        operator_block(read(TEXT, "services.yaml", STREAMS), STREAMS, {**KEYS} | {"s": SigningKey("no key")}, OPERATOR)


def test_an_accounts_key_follows_from_its_name() -> None:
    """It never changes, or a stack would not find its streams; it is a public key as nats-server has them."""
    key = account_key("PREDICTION_SYSTEM")
    assert key == "ABKE75WOFBYNSGE67RM7CGSF2K7HR64UILIPS3WGUMXRAXS3YBWDHTPH"
    raw = base64.b32decode(key)
    assert nkeys.crc16(bytearray(raw[:-2])).to_bytes(2, "little") == raw[-2:]
    assert key != account_key("PREDICTION_SYSTEM2")


def test_creds_are_read_by_the_client() -> None:
    """The token and the seed, each between its lines."""
    user = nkeys.encode_seed(b"u" * 32, nkeys.PREFIX_BYTE_USER).decode()
    jwt = token(OPERATOR, account_key("A"), "s", {"type": "user"}, 5)
    lines = creds(jwt, user).splitlines()
    assert jwt == lines[lines.index("-----BEGIN NATS USER JWT-----") + 1]
    assert user == lines[lines.index("-----BEGIN USER NKEY SEED-----") + 1]
    assert decoded(jwt)["iat"] == 5
