"""Nothing leads into the network that Listkeeper stands in, unless its administrator says so."""

import socket
from ipaddress import ip_address

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from sync.errors import BlockedAddress, SourceError
from sync.http import Door, guard

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:db8::1", "192.88.99.1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"]


@pytest.fixture
def names(monkeypatch):
    """What names stand for: names["one.example"] = ["10.0.0.1"]. Each look-up is counted."""
    known, asked = {}, []

    def look_up(host, port, **how):
        asked.append(host)
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(guard.socket, "getaddrinfo", look_up)
    known["asked"] = asked
    return known


@pytest.fixture
def closed(settings):
    settings.OUTBOUND_ALLOW = []


@pytest.mark.covers("SAFE-08")
@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_our_own_network_is_not_public(address):
    assert not guard.is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_world_is(address):
    assert guard.is_public(ip_address(address))


@pytest.mark.covers("SAFE-08")
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]",
     "someone@127.0.0.1", "public.example@127.0.0.1"],
)  # fmt: skip
def test_nothing_is_sent_to_this_machine_however_it_is_written(upstream, closed, host):
    port = upstream.server_address[1]
    with Door() as door, pytest.raises(SourceError) as caught:
        door.get(f"http://{host}:{port}/list")
    assert caught.value.kind in ("blocked_address", "dns")
    assert upstream.seen == []


@pytest.mark.covers("SAFE-08")
def test_a_redirect_into_our_network_is_not_followed(upstream, other, settings):
    settings.OUTBOUND_ALLOW = [f"127.0.0.1:{upstream.server_address[1]}"]
    upstream.answer("/list", {}, 302, headers={"Location": f"{other.url}/secrets"})
    with Door() as door, pytest.raises(BlockedAddress):
        door.get(f"{upstream.url}/list")
    assert (len(upstream.seen), other.seen) == (1, [])


def test_one_private_address_among_those_of_a_name_blocks_it(names, closed):
    names["mixed.example"] = ["93.184.216.34", "10.0.0.1"]
    with pytest.raises(BlockedAddress):
        guard.checked("mixed.example", 443, "tmdb", 5)


def test_a_name_is_looked_up_once_and_what_was_found_is_asked(names, upstream, settings):
    port = upstream.server_address[1]
    names["lists.example"] = ["127.0.0.1"]
    upstream.answer("/list", [1])
    settings.OUTBOUND_ALLOW = ["lists.example"]
    with Door() as door:
        door.get(f"http://lists.example:{port}/list")
    assert names["asked"] == ["lists.example"]
    assert upstream.seen[0].headers["Host"] == f"lists.example:{port}"


@pytest.mark.parametrize(
    ("allowed", "host", "port", "service", "opens"),
    [
        ("10.0.0.0/24", "10.0.0.9", 80, "tmdb", True),
        ("10.0.0.0/24", "10.0.1.9", 80, "tmdb", False),
        ("10.0.0.9:8080", "10.0.0.9", 8080, "tmdb", True),
        ("10.0.0.9:8080", "10.0.0.9", 8081, "tmdb", False),
        ("plex=10.0.0.9", "10.0.0.9", 80, "plex", True),
        ("plex=10.0.0.9", "10.0.0.9", 80, "tmdb", False),
        ("rss=10.0.0.9", "10.0.0.9", 80, "rss:10.0.0.9", True),
        ("rss=10.0.0.9", "10.0.0.9", 80, "json:10.0.0.9", False),
        ("169.254.0.0/16", "169.254.169.254", 80, "tmdb", False),
        ("169.254.169.254", "169.254.169.254", 80, "tmdb", True),
        ("10.0.0.0/8", "::ffff:10.0.0.9", 80, "tmdb", True),
        ("fd00::/8", "fd00:ec2::254", 80, "tmdb", False),
        ("[fd00::1]:8080", "fd00::1", 8080, "tmdb", True),
        ("", "93.184.216.34", 443, "tmdb", True),
        ("", "93.184.216.34", 8443, "tmdb", True),
        ("", "93.184.216.34", 22, "tmdb", False),
        ("93.184.216.34:22", "93.184.216.34", 22, "tmdb", True),
    ],
)
def test_the_administrator_opens_places(settings, allowed, host, port, service, opens):
    settings.OUTBOUND_ALLOW = [allowed] if allowed else []
    if opens:
        assert guard.checked(host, port, service, 5)
    else:
        with pytest.raises(BlockedAddress):
            guard.checked(host, port, service, 5)


def test_a_name_at_home_is_opened_by_its_name(names, settings):
    names |= {"nas.lan": ["192.168.1.7"], "metadata.lan": ["169.254.169.254"]}
    settings.OUTBOUND_ALLOW = ["nas.lan:32400", "metadata.lan"]
    assert guard.checked("NAS.lan.", 32400, "plex", 5) if names.setdefault("NAS.lan.", ["192.168.1.7"]) else None
    for host, port in (("nas.lan", 80), ("metadata.lan", 80)):
        with pytest.raises(BlockedAddress):
            guard.checked(host, port, "plex", 5)


def test_a_look_up_that_hangs_ends_in_time(monkeypatch):
    import threading

    hang = threading.Event()
    monkeypatch.setattr(guard, "_resolve", lambda host, port: hang.wait(20))
    with pytest.raises(TimeoutError):
        guard.checked("slow.example", 80, "tmdb", 0.1)
    hang.set()


@pytest.mark.parametrize("word", ["10.0.0.0/99", "nas:port", ":80", "plex="])
def test_a_place_that_is_none_is_said_at_the_start(settings, word):
    settings.OUTBOUND_ALLOW = [word]
    with pytest.raises(ImproperlyConfigured):
        guard.entries((word,))
    with pytest.raises(SystemCheckError, match="OUTBOUND_ALLOW"):
        call_command("check")


@pytest.mark.parametrize(
    "said", [{"rate": 0}, {"rate": "5"}, {"url": "ftp://x"}, {"burst": True}, {"speed": 5}, {"failures": -1}]
)
def test_a_service_that_is_told_nonsense_is_said_at_the_start(settings, said):
    settings.SERVICES = {"tmdb": said}
    with pytest.raises(SystemCheckError, match=f"LISTKEEPER_SERVICES: .*{next(iter(said))}"):
        call_command("check")
