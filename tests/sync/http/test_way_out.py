"""There is one way out: nothing else of the product speaks to the network, but to its database and its broker."""

import ast
import socket
import types
from pathlib import Path

import pytest

from sync import processes
from sync.http import Door
from tests import way_out

ROOT = way_out.ROOT
SPEAKERS = {"requests", "urllib3", "httpx", "aiohttp", "http", "ssl", "ftplib", "telnetlib", "asyncio", "xmlrpc"}


@pytest.mark.covers("CB-06", "SAFE-08")
def test_nobody_but_the_door_knows_how_to_connect():
    found = []
    for room in ("config", "lists", "sync", "monitoring"):
        for path in (ROOT / room).rglob("*.py"):
            if path.is_relative_to(ROOT / "sync" / "http") or str(path) in way_out.OWN:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                found += [
                    f"{path.relative_to(ROOT)}: {n}"
                    for n in names
                    if n.partition(".")[0] in SPEAKERS or n == "urllib.request"
                ]
    assert found == []


def test_a_connection_past_the_door_is_stopped(upstream):
    source = "def go(address):\n    import socket\n    socket.create_connection(address).close()\n"
    module = types.ModuleType("stray")
    exec(compile(source, str(Path(processes.__file__).with_name("stray.py")), "exec"), module.__dict__)
    with pytest.raises(way_out.Stray):
        module.go(upstream.server_address)
    assert way_out.strays.pop().endswith("looks up 127.0.0.1")
    socket.create_connection(upstream.server_address).close()  # a test's own
    upstream.answer("/list", [1])
    with Door() as door:
        door.get(f"{upstream.url}/list")
    assert way_out.strays == []
