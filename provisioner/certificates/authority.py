"""A development authority: makes itself, its successor and the servers' certificate. Values in, values out.

Only the provider imports this: the program, whose start counts, needs no cryptography.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFETIME: Final = timedelta(days=3650)
CERTIFICATE_LIFETIME: Final = timedelta(days=365)
# A clock that is a little behind takes a new certificate, too.
_BACKDATED: Final = timedelta(hours=1)

_LONGEST_NAME: Final = 64  # of a common name
_KEY_USES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

# The server shows its certificate to clients, and each node to the others on both sides of a route.
_USES: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both in PEM; the key is in no repr."""

    cert: str
    key: str = field(repr=False)

    @property
    def ends(self) -> datetime:
        """When the certificate expires."""
        return _cert(self.cert).not_valid_after_utc


def new_authority(name: str, now: datetime) -> Pair:
    """A CA that signs itself.

    Args:
        name: whose it is; another one of that name is told apart by its serial number.
        now: what its lifetime begins with.
    """
    key, serial = ec.generate_private_key(ec.SECP256R1()), x509.random_serial_number()
    subject = _name(f"{name} authority {serial:x}"[:_LONGEST_NAME])
    builder = _as_authority(_builder(subject, subject, key.public_key(), now, now + AUTHORITY_LIFETIME), serial)
    return Pair(_pem(builder.sign(key, hashes.SHA256())), _private(key))


def cross_signed(authority: Pair, before: Pair) -> str:
    """A certificate of an authority, signed by the one before it: who trusts that one then trusts both."""
    own, issuer = _cert(authority.cert), _cert(before.cert)
    ends = min(own.not_valid_after_utc, issuer.not_valid_after_utc)
    key = _key(before.key)
    builder = _builder(own.subject, issuer.subject, _public(own), own.not_valid_before_utc + _BACKDATED, ends)
    builder = _as_authority(builder, x509.random_serial_number()).add_extension(_authority_id(issuer), critical=False)
    return _pem(builder.sign(key, hashes.SHA256()))


def sign(authority: Pair, name: str, names: Iterable[str], now: datetime) -> Pair:
    """A certificate for servers, by this authority.

    Args:
        authority: it does not outlive this one.
        name: whose it is.
        names: the host names and addresses under which the servers are met.
        now: what its lifetime begins with.
    """
    issuer, key = _cert(authority.cert), ec.generate_private_key(ec.SECP256R1())
    ends = min(now + CERTIFICATE_LIFETIME, issuer.not_valid_after_utc)
    usage = dict.fromkeys(_KEY_USES, False) | {"digital_signature": True}
    builder = (
        _builder(_name(name[:_LONGEST_NAME]), issuer.subject, key.public_key(), now, ends)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_USES), critical=False)
        .add_extension(_authority_id(issuer), critical=False)
    )
    return Pair(_pem(builder.sign(_key(authority.key), hashes.SHA256())), _private(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .not_valid_before(begins - _BACKDATED)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _as_authority(builder: x509.CertificateBuilder, serial: int) -> x509.CertificateBuilder:
    usage = dict.fromkeys(_KEY_USES, False) | {"key_cert_sign": True, "crl_sign": True}
    return (
        builder.serial_number(serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
    )


def _authority_id(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(_public(issuer))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _cert(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _public(cert: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """All keys here are of one kind."""
    return cast("ec.EllipticCurvePublicKey", cert.public_key())


def _key(pem: str) -> ec.EllipticCurvePrivateKey:
    return cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(pem.encode(), password=None))


def _pem(cert: x509.Certificate) -> str:
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
