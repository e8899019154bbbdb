"""The release after this one, as far as Redis can tell: its snapshots have another format."""

from __future__ import annotations

import sys

from supportapi.snapshots import keys

# A number, not a step: a forked process that loads this once more is no later release.
keys.FORMAT = 1_000  # pyright: ignore[reportConstantRedefinition,reportAttributeAccessIssue] - that is the point


def main() -> None:
    from supportapi.processes.start import begin
    from supportapi.processes.watcher import run_watcher
    from supportapi.processes.web import run_api
    from supportapi.processes.worker import run_worker

    role = sys.argv[1]
    settings = begin(role, listens=role == "api")
    if role == "api":
        run_api(settings, "tests.faults.next_release:app")
    else:
        {"watcher": run_watcher, "worker": run_worker}[role](settings)


def app() -> object:
    from supportapi.processes.application import app as application

    return application()


if __name__ == "__main__":
    main()
