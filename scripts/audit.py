"""Known weaknesses of what the lock files pin: `make audit`.

The package index knows them. Where it cannot be asked, that is said in capitals and the status is 0, so that a machine
without a network can check everything else; `AUDIT_REQUIRED=true` makes it a failure there as well.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

LOCKS: Final = ("requirements.lock", "requirements-dev.lock", "requirements-docs.lock")
_PIN: Final = re.compile(r"^\S+==\S+ \\\n(?:    --hash=\S+(?: \\\n|\n))+", re.MULTILINE)
_SECONDS: Final = 10


class Pin(msgspec.Struct):
    """What is known of one pin; `skip_reason` says why nothing is."""

    name: str
    version: str = ""
    vulns: tuple[dict[str, object], ...] = ()
    skip_reason: str | None = None


class Report(msgspec.Struct):
    """What pip-audit writes."""

    dependencies: tuple[Pin, ...]


def main() -> int:
    """Audit every pin. 1 when something is known against one, or nothing could be learned and something must be."""
    locks = [Path(word) for word in sys.argv[1:] or LOCKS]
    first = _PIN.search(locks[0].read_text())
    if first is None:
        print(f"{locks[0]} pins nothing by hash.", file=sys.stderr)
        return 1
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as probe:
        probe.write(first[0])
        probe.flush()
        asked = _report([Path(probe.name)])
    # One question before all the others: an index that does not know the first pin knows none of them.
    report = asked if asked is None or asked.dependencies[0].skip_reason else _report(locks)
    if report is None or report.dependencies[0].skip_reason:
        print("AUDIT NOT DONE: known weaknesses cannot be asked for from here. Run `make audit` where they can.")
        return 1 if os.environ.get("AUDIT_REQUIRED") == "true" else 0
    weak = [pin for pin in report.dependencies if pin.vulns]
    for pin in weak:
        print(f"{pin.name} {pin.version}: {', '.join(_named(found) for found in pin.vulns)}")
    for pin in report.dependencies:
        if pin.skip_reason:
            print(f"{pin.name}: NOT AUDITED, {pin.skip_reason}")
    print(f"audit: {len(report.dependencies)} pins, {len(weak)} with known weaknesses.")
    return 1 if weak else 0


def _named(found: dict[str, object]) -> str:
    return f"{found.get('id')}, mended in {found.get('fix_versions') or 'no release yet'}"


def _report(locks: list[Path]) -> Report | None:
    """What is known of the pins of `locks`; None when nobody could be asked."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--format", "json", "--progress-spinner", "off"]
    command += ["--timeout", str(_SECONDS), "--disable-pip", "--require-hashes"]
    command += [word for lock in locks for word in ("-r", str(lock))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - words of ours
    try:
        return msgspec.json.decode(ended.stdout, type=Report)
    except msgspec.DecodeError:
        print(ended.stderr, end="", file=sys.stderr)
        return None


if __name__ == "__main__":
    raise SystemExit(main())
