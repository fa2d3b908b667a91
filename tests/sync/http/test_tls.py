"""Secure connections: by the name that was asked for, to who can prove that it is theirs."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.errors import SourceError
from sync.http import Door


@pytest.fixture
def certify(tmp_path):
    """A certificate for a host, signed by itself: (the file that trusts it, the file with its key)."""

    def certify(host):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test")])
        now = datetime.now(UTC)
        as_host = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([as_host]), critical=False)
            .sign(key, hashes.SHA256())
        )
        trusted, private = tmp_path / "ca.pem", tmp_path / "key.pem"
        trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return trusted, private

    return certify


@pytest.fixture
def secure(upstream, certify):
    """Have the service speak TLS under the certificate of a host; returns its address."""

    def secure(host):
        trusted, private = certify(host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(trusted, private)
        upstream.socket = context.wrap_socket(upstream.socket, server_side=True, do_handshake_on_connect=False)
        return upstream.url.replace("http:", "https:"), str(trusted)

    return secure


def test_who_proves_its_name_is_asked(upstream, secure, settings):
    url, settings.CA_FILE = secure("127.0.0.1")
    upstream.answer("/list", [1])
    with Door() as door:
        assert door.get(f"{url}/list").json() == [1]
        assert door.get(f"{url}/list").json() == [1]


def test_a_drip_over_tls_ends_in_time(upstream, secure, settings):
    url, settings.CA_FILE = secure("127.0.0.1")
    settings.SERVICES |= {"127.0.0.1": {"timeout_s": 0.5}}
    upstream.answer("/list", [0] * 1000, drip=0.05)
    with Door() as door, pytest.raises(SourceError) as caught:
        door.get(f"{url}/list")
    assert caught.value.kind == "timeout"


def test_who_cannot_is_told_nothing(upstream, secure, settings):
    url, trusted = secure("lists.example")
    upstream.answer("/list", [1])
    for settings.CA_FILE in ("", trusted):  # nobody vouches for it; it is somebody else
        with Door() as door, pytest.raises(SourceError, match="certificate") as caught:
            door.get(f"{url}/list", headers={"Authorization": "Bearer hush"})
        assert caught.value.kind == "tls"
    assert upstream.seen == []


def test_what_speaks_no_tls_is_said(upstream):
    with Door() as door, pytest.raises(SourceError) as caught:
        door.get(upstream.url.replace("http:", "https:"))
    assert caught.value.kind == "tls"


def test_a_secure_address_does_not_lead_to_an_open_one(upstream, other, secure, settings):
    url, settings.CA_FILE = secure("127.0.0.1")
    upstream.answer("/list", {}, 302, headers={"Location": f"{other.url}/list"})
    with Door() as door, pytest.raises(SourceError, match="not secure"):
        door.get(f"{url}/list")
    assert other.seen == []
