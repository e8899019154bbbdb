"""The worker process, which builds and publishes: `supportapi worker`."""

from __future__ import annotations

from supportapi.cli import main

if __name__ == "__main__":
    main(["worker"])
