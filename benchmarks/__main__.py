"""`python -m benchmarks [--quick] [group ...]`: ratios of this machine, of all groups or of those that are named."""

from __future__ import annotations

import argparse
import signal

from benchmarks import (
    agents,
    build,
    calls,
    events,
    exports,
    first,
    ingest,
    overload,
    publish,
    query,
    serve,
    swap,
    workers,
)
from benchmarks.machine import cores, describe, load

_GROUPS = {
    "ingest": ingest.run,
    "build": build.run,
    "query": query.run,
    "agents": agents.run,
    "calls": calls.run,
    "exports": exports.run,
    "publish": publish.run,
    "swap": swap.run,
    "first": first.run,
    "events": events.run,
    "overload": overload.run,
    "workers": workers.run,
    "serve": serve.run,
}


def main() -> None:
    """Measure the groups that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few calls and rounds: to see that it works")
    parser.add_argument("groups", nargs="*", metavar="group", help=f"{', '.join(_GROUPS)}; default: all of them")
    asked = parser.parse_args()
    strangers = sorted(set(asked.groups) - set(_GROUPS))
    if strangers:
        parser.error(f"there is no group {', '.join(strangers)}; there are: {', '.join(_GROUPS)}")
    # Ended by SIGTERM we unwind as after Ctrl-C, so that what was started is ended.
    signal.signal(signal.SIGTERM, _leave)
    print(describe())
    if load() > cores() / 4:
        print(f"\nNot alone: the load of the last minute is {load():.1f}. Numbers are noisy; ratios less so.")
    for name, run in _GROUPS.items():
        if not asked.groups or name in asked.groups:
            run(quick=asked.quick)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
