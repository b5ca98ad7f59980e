"""Hosts of a network of their own, which the machine's knows nothing of."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.postgres import embedded
from harness.processes.hosts import ADDRESS, Host, private_network
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError
from tests.support.marks import as_root


def said(host: Host, *words: str) -> str:
    done = subprocess.run(host.command(words), capture_output=True, text=True, check=True, timeout=300)
    return done.stdout.strip()


def links() -> set[str]:
    return {name for _, name in socket.if_nameindex()}


def seen_from(pid: int) -> list[str]:
    """The links of the network that another process is in."""
    return [line.partition(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()]


@as_root
def test_each_host_has_a_name_and_an_address_of_its_own() -> None:
    with private_network(), Supervision() as supervision:
        hosts = [Host(supervision) for _ in range(2)]
        assert len({said(host, "hostname") for host in hosts} | {socket.gethostname()}) == 3
        assert len({host.address for host in hosts}) == 2
        for host in hosts:
            assert host.address in said(host, "ip", "-brief", "address")


@as_root
def test_a_server_with_hosts_lets_in_each_of_them() -> None:
    with private_network(), Supervision() as supervision:
        server = embedded.start(supervision, hosts=True)
        assert ADDRESS in server.address
        asked = (
            "import psycopg2, sys;"
            "cursor = psycopg2.connect(sys.argv[1]).cursor();"
            "cursor.execute('select host(inet_client_addr())');"
            "print(*cursor.fetchone())"
        )
        for host in (Host(supervision), Host(supervision)):
            assert said(host, sys.executable, "-c", asked, server.url) == host.address


@as_root
def test_the_network_of_the_machine_stays_as_it_is() -> None:
    before = links()
    with private_network(), Supervision() as supervision:
        Host(supervision)
        assert any(name.startswith("host") for name in links())
        assert not any(name.startswith("host") for name in seen_from(os.getppid()))
    assert links() == before


@as_root
def test_a_host_is_gone_with_its_supervision() -> None:
    with private_network():
        without = links()
        with Supervision() as supervision:
            Host(supervision)
            assert links() != without
        until = time.monotonic() + 120
        while links() != without and time.monotonic() < until:
            time.sleep(0.05)
        assert links() == without


def test_who_may_not_make_them_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PoolstartError, match="only root") as caught, private_network():
        pass
    assert "\n" not in str(caught.value)


@as_root
def test_a_tool_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PoolstartError, match="hosts need ip and nsenter and unshare"), private_network():
        pass
