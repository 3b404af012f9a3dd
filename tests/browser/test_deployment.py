"""The proxies that SECURITY.md speaks of, and whom the server takes for its owner."""

import http.client
import itertools
import re
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from starlette.datastructures import Headers

from core.ownership import sits_at_machine
from tests.browser.test_proxy import NGINX, free_port
from tests.conftest import REPOSITORY

DEPLOYMENT = REPOSITORY / "docs" / "deployment"
STREAM = "/_stcore/stream"
OUTSIDE = "sketch.example"
HOSTS = (OUTSIDE, "localhost", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST:8501")
ORIGINS = ("none", "same", "foreign")
SHORTEST = """
server {
    listen 127.0.0.1:%d;
    location / {
        proxy_pass http://127.0.0.1:%d;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
    }
}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, list[Mapping[str, str]]]]:
    """A port, and the headers of each request that came to it."""
    seen: list[Mapping[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(Headers(dict(self.headers.items())))
            if "X-Stay" in self.headers:
                time.sleep(1)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_port, seen
        listening.shutdown()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "nginx ended at once"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
            continue
        return


@contextmanager
def nginx(sites: str, port: int, folder: Path) -> Iterator[int]:
    if NGINX is None:
        pytest.skip("needs Debian's package nginx-light")
    folder.mkdir()
    places = "\n".join(
        f"{name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/errors;\n"
        "worker_processes 1; events { worker_connections 256; }\n"
        f"http {{ access_log off; {places}\n{sites}\n}}",
        encoding="utf-8",
    )
    process = subprocess.Popen([NGINX, "-c", conf, "-p", folder, "-e", "stderr"])
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def shipped(server_port: int, folder: Path) -> Iterator[int]:
    """The shipped configuration, on other ports and with a certificate of its own."""
    folder.mkdir()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", f"/CN={OUTSIDE}", "-keyout", folder / "key.pem"),
            *("-out", folder / "certificate.pem"),
        ],
        check=True,
        capture_output=True,
    )
    port = free_port()
    text = (DEPLOYMENT / "nginx.conf").read_text(encoding="utf-8")
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("server dashboard:8501", f"server 127.0.0.1:{server_port}"),
        ("/etc/nginx/tls", str(folder)),
    ):
        assert old in text
        text = text.replace(old, new)
    with nginx(text, port, folder / "nginx"):
        yield port


@contextmanager
def shortest(server_port: int, folder: Path) -> Iterator[int]:
    port = free_port()
    with nginx(SHORTEST % (port, server_port), port, folder):
        yield port


@contextmanager
def bytes_only(server_port: int, _: Path) -> Iterator[int]:
    """A TCP proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as p:

        def pump(one: socket.socket, other: socket.socket) -> None:
            with one, other:
                while content := one.recv(65536):
                    other.sendall(content)

        def accept() -> None:
            while True:
                try:
                    one, _ = listening.accept()
                except OSError:
                    return
                other = socket.create_connection(("127.0.0.1", server_port))
                p.submit(pump, one, other.dup())
                p.submit(pump, other, one.dup())

        p.submit(accept)
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def direct(server_port: int, _: Path) -> Iterator[int]:
    yield server_port


WAYS = {
    # How one reaches it, what it listens on, whether it is set up as public.
    "direct": (direct, "0.0.0.0", False),
    "nginx": (shipped, "127.0.0.1", False),
    "shortest nginx": (shortest, "127.0.0.1", True),
    "TCP proxy": (bytes_only, "127.0.0.1", True),
}


def ask(
    port: int, headers: Mapping[str, str], *, path: str = STREAM, tls: bool = False
) -> http.client.HTTPResponse:
    asked: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        asked = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    else:
        asked = http.client.HTTPConnection("127.0.0.1", port)
    try:
        asked.request("GET", path, headers={**headers, "Connection": "close"})
        answer = asked.getresponse()
        answer.read()
        return answer
    finally:
        asked.close()


@pytest.mark.parametrize("way", WAYS)
def test_no_stranger_is_taken_for_who_sits_at_the_machine(
    way: str, server: tuple[int, list[Mapping[str, str]]], tmp_path: Path
) -> None:
    opened, server_address, is_public = WAYS[way]
    server_port, seen = server
    seen.clear()
    tls = opened is shipped
    with opened(server_port, tmp_path / "way") as port:
        for host, origin in itertools.product(HOSTS, ORIGINS):
            headers = {"Host": host}
            if origin == "same":
                headers["Origin"] = f"http://{host}"
            elif origin == "foreign":
                headers["Origin"] = "http://127.0.0.1:9"
            assert ask(port, headers, tls=tls).status == 200
    assert len(seen) == 15
    assert not any(
        sits_at_machine(headers, server_address=server_address, is_public=is_public)
        for headers in seen
    )


def test_who_sits_at_the_machine_is_taken_for_that(
    server: tuple[int, list[Mapping[str, str]]],
) -> None:
    port, seen = server
    seen.clear()
    own = f"localhost:{port}"
    ask(port, {"Host": own, "Origin": f"http://{own}"})
    assert sits_at_machine(seen[0], server_address="127.0.0.1", is_public=False)


def test_the_shipped_proxy_limits_what_one_address_asks_for(
    server: tuple[int, list[Mapping[str, str]]], tmp_path: Path
) -> None:
    with shipped(server[0], tmp_path / "way") as port:
        page = ask(port, {}, path="/", tls=True)
        assert page.status == 200
        assert page.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
        assert page.headers["Strict-Transport-Security"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        lied = {"X-Forwarded-For": "203.0.113.1", "Forwarded": "for=203.0.113.1"}
        ask(port, lied, path="/", tls=True)
        assert server[1][-1]["X-Forwarded-For"] == "127.0.0.1"
        assert "Forwarded" not in server[1][-1]
        too_much = {"Content-Length": "20971521"}
        assert (
            ask(port, too_much, path="/_stcore/upload_file/a", tls=True).status == 413
        )
        with ThreadPoolExecutor(40) as pool:
            pages = Counter(
                pool.map(
                    lambda _: ask(port, {"X-Stay": "1"}, tls=True).status, range(40)
                )
            )
            uploads = Counter(
                ask(port, {}, path="/_stcore/upload_file/a", tls=True).status
                for _ in range(30)
            )
        # The page that stays open holds its place; others' files are still sent.
        assert pages[429] >= 15
        assert uploads[429] >= 10
        assert ask(port, {}, path="/static/a.js", tls=True).status == 200


def test_what_is_shipped_agrees_with_itself() -> None:
    config = (REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    (limit,) = re.findall(r"^maxUploadSize = (\d+)$", config, flags=re.MULTILINE)
    proxy = (DEPLOYMENT / "nginx.conf").read_text(encoding="utf-8")
    assert f"client_max_body_size {limit}m;" in proxy
    image = (DEPLOYMENT / "Dockerfile").read_text(encoding="utf-8")
    assert "SKETCHSCOPE_PUBLIC=1" in image
    assert "-r requirements.txt" in image
    assert re.search(r"^USER sketchscope$", image, flags=re.MULTILINE)
