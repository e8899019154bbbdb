"""Where the API listens, and whether it may."""

from __future__ import annotations

import socket

from supportapi.errors import StartRefused


def reachable_host(host: str) -> str:
    """Where a client on this machine finds who listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with, not listened on


def refuse_taken_port(host: str, port: int) -> None:
    """Raises `StartRefused` unless this process may listen there.

    A plain bind, because the server itself shares its port with whoever else allows that, silently.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as cause:
        raise StartRefused(f"HOST={host} is no address of this machine ({cause.strerror}). Set HOST.") from cause
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen()
        except OSError as cause:
            remedy = "Stop whatever listens there, or set PORT (or HOST)."
            raise StartRefused(f"Port {port} of {host} cannot be used ({cause.strerror}). {remedy}") from cause
