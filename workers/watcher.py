"""The watcher process: `supportapi watcher`."""

from __future__ import annotations

from supportapi.cli import main

if __name__ == "__main__":
    main(["watcher"])
