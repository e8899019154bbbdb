"""One raw file, once: `supportapi ingest`."""

from __future__ import annotations

import sys

from supportapi.cli import main

if __name__ == "__main__":
    main(["ingest", *sys.argv[1:]])
