"""`python -m benchmarks.peers.server`: the peer that `PEER` names, on `PORT`; run by the environment of the peers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server


def main() -> None:
    """Serve with the settings that our own server has, and no log of requests."""
    host, port = os.environ["HOST"], int(os.environ["PORT"])
    if os.environ["PEER"] == "roapi":
        program = Path(sys.executable).with_name("roapi")
        words = ["--addr-http", f"{host}:{port}", "--table", f"calls={os.environ['PEER_FILE']}"]
        os.execv(program, [program, *words])  # noqa: S606 - what is measured
    Server(
        "benchmarks.peers.server.app:app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        workers=1,
        websockets=False,
        backlog=4_096,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


if __name__ == "__main__":
    main()
