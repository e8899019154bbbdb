"""A server that speaks S3, SQS and Glue, and a way to it that can be made to fail."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.processes.machine import free_port, status, until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server"}


@contextmanager
def aws_server() -> Generator[str]:
    """The address of a server of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env=os.environ | CREDENTIALS, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: status(port, "/moto-api/") == 200 or process.poll() is not None)
        assert process.poll() is None
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@dataclass
class Fault:
    """What befalls a request: a wait, an event meanwhile, and another answer than the server's, or a part of that."""

    status: int | None = None
    code: str = ""
    seconds: float = 0.0
    cut: bool = False
    spoilt: bool = False
    meanwhile: Callable[[], object] | None = None
    times: int = 1_000_000


@dataclass
class Request:
    """A request that came through."""

    method: str
    path: str
    headers: dict[str, str]
    status: int = 0


@dataclass
class Way:
    """The way to the server at `behind`: requests whose path ends as one of `faults` does meet that fault."""

    behind: str
    faults: dict[str, Fault] = field(default_factory=dict[str, Fault])
    seen: list[Request] = field(default_factory=list[Request])
    url: str = ""

    def fault_of(self, request: Request) -> Fault | None:
        """The fault that this request meets, counted."""
        found = next((fault for end, fault in self.faults.items() if request.path.endswith(end)), None)
        if found is None or found.times <= 0:
            return None
        found.times -= 1
        return found


@contextmanager
def way_to(behind: str) -> Generator[Way]:
    """A proxy before the server at `behind`."""
    way = Way(behind)

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, urlsplit(self.path).path, {k.lower(): v for k, v in self.headers.items()})
            way.seen.append(request)
            fault = way.fault_of(request) or Fault()
            time.sleep(fault.seconds)
            if fault.status is not None:
                request.status = fault.status
                told = f"<Error><Code>{fault.code}</Code><Message>{KEY_ID} may not</Message></Error>".encode()
                self.answer(fault.status, {"content-type": "application/xml"}, told)
                return
            connection = HTTPConnection(urlsplit(way.behind).netloc, timeout=30)
            with suppress(OSError, HTTPException):  # who asked has gone, or the server has
                connection.request(self.command, self.path, content, dict(self.headers.items()))
                found = connection.getresponse()
                body = found.read()
                request.status = found.status
                if fault.meanwhile is not None:
                    fault.meanwhile()
                body = body[:-1] + bytes([body[-1] ^ 1]) if fault.spoilt and body else body
                headers = {name: text for name, text in found.getheaders() if name.lower() not in _HOP_BY_HOP}
                length = found.getheader("Content-Length") if self.command == "HEAD" else str(len(body))
                self.answer(found.status, headers, body[: len(body) // 2] if fault.cut else body, length)
            connection.close()
            self.close_connection = self.close_connection or fault.cut

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = pass_on  # noqa: N815 - as the library calls them

        def answer(self, number: int, headers: dict[str, str], body: bytes, length: str | None = None) -> None:
            self.send_response_only(number)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as server:
        server.daemon_threads = True
        way.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield way
        server.shutdown()
        thread.join()
