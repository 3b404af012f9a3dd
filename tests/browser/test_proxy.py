"""Two servers on one data folder behind the proxy that docs/scale.md describes."""

import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect

from core.datasets.store import Dataset
from tests.browser.server import START_TIMEOUT_MS, Server, serving, wait_until_idle
from tests.conftest import REPOSITORY

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SECRET = {"STREAMLIT_SERVER_COOKIE_SECRET": "two servers, one secret"}
VISITORS = 20


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def configuration(servers: list[Server], port: int, folder: Path) -> str:
    """The one that docs/scale.md shows, on other ports."""
    text = (REPOSITORY / "docs" / "scale.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```nginx\n(.*?)```", text, flags=re.DOTALL)
    for number, server in enumerate(servers, start=1):
        address = server.address.removeprefix("http://")
        assert f"127.0.0.1:850{number}" in shown
        shown = shown.replace(f"127.0.0.1:850{number}", address)
    assert "listen 80;" in shown
    shown = shown.replace("listen 80;", f"listen 127.0.0.1:{port};")
    places = "\n".join(
        f"{name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/errors;\n"
        "worker_processes 1; events { worker_connections 256; }\n"
        f"http {{ {places}\nlog_format upstreams '$upstream_addr $request_uri';\n"
        f"access_log {folder}/requests upstreams;\n{shown} }}\n"
    )


@pytest.fixture
def servers(tiny: Dataset, data_dir: Path) -> Iterator[list[Server]]:
    with (
        serving(data_dir, **SECRET) as one,
        serving(data_dir, **SECRET) as two,
    ):
        yield [one, two]


@pytest.fixture
def proxy(servers: list[Server], tmp_path: Path) -> Iterator[str]:
    """The proxy's address; its log lies in `tmp_path/nginx/requests`."""
    if NGINX is None:
        pytest.skip("needs Debian's package nginx-light")
    folder = tmp_path / "nginx"
    folder.mkdir()
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(configuration(servers, port, folder), encoding="utf-8")
    process = subprocess.Popen([NGINX, "-c", conf, "-p", folder, "-e", "stderr"])
    try:
        while True:
            assert process.poll() is None, "nginx ended at once"
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
                continue
            break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def asked(log: Path) -> set[str]:
    """The servers that the proxy has asked so far; the last of each request."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return {line.rsplit(" ", 1)[0].split(", ")[-1] for line in lines}


def connected(server: Server) -> bool:
    """Whether a page's websocket ends at a server."""
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return any(connection.status == psutil.CONN_ESTABLISHED for connection in found)


def test_visitors_stay_on_their_server_and_go_to_the_other_when_it_dies(
    servers: list[Server], proxy: str, tmp_path: Path, browser: Browser
) -> None:
    log = tmp_path / "nginx" / "requests"
    context = browser.new_context()
    page = context.new_page()
    title = page.get_by_role("heading", level=1)
    page.goto(f"{proxy}/dataset?dataset=tiny", timeout=START_TIMEOUT_MS)
    expect(title).to_have_text("Dataset", timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    page.reload()
    expect(title).to_have_text("Dataset", timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    # Every request went to one server, and its websocket ends there.
    (address,) = asked(log)
    (home,) = [server for server in servers if server.address.endswith(address)]
    (other,) = [server for server in servers if server is not home]
    assert connected(home)
    assert not connected(other)

    home.kill()
    page.reload()
    expect(title).to_have_text("Dataset", timeout=START_TIMEOUT_MS)
    wait_until_idle(page)
    # What it shows lies in the shared folder, and the pictures in its own memory.
    expect(page.get_by_alt_text("Sketch house/").first).to_be_visible()
    assert page.evaluate(
        "[...document.querySelectorAll('img')].every((one) => one.naturalWidth > 0)"
    )
    assert connected(other)
    context.close()


def test_visitors_are_spread_over_the_servers(
    servers: list[Server], proxy: str, tmp_path: Path
) -> None:
    for _ in range(VISITORS):
        with urllib.request.urlopen(f"{proxy}/_stcore/health") as answer:
            assert answer.status == 200
            cookies = answer.headers.get_all("Set-Cookie")
            assert any(cookie.startswith("sketchscope=") for cookie in cookies)
    assert len(asked(tmp_path / "nginx" / "requests")) == 2
