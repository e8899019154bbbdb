"""Runs the watcher or the worker with the settings of its environment, as the command line does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from supportapi.processes.watcher import run_watcher
from supportapi.processes.worker import run_worker
from supportapi.settings import load_settings


def main() -> None:
    settings = load_settings(os.environ, Path("no-such-file.env"))
    {"watcher": run_watcher, "worker": run_worker}[sys.argv[1]](settings)


if __name__ == "__main__":
    main()
