"""What every benchmark needs: the machine in words, sample calls, children, medians, a table."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from supportapi.refresh.parentage import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".supportapi" / "bench"
SEED: Final = 1
_MEBIBYTE: Final = 1 << 20


def describe() -> str:
    """Cores, processor and the versions that matter, in one line."""
    parts = [f"{cores()} cores", _processor(), f"Python {platform.python_version()}"]
    parts += [f"{name} {version(name)}" for name in ("polars", "numpy", "granian")]
    return ", ".join(parts)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def load() -> float:
    """Processes that wanted a core during the last minute, on average: above 1 before we begin, numbers are noisy."""
    return os.getloadavg()[0]


def sample(calls: int, agents: int | None = None) -> Path:
    """The Parquet file of `calls` made-up calls (taken by `agents`), made once and kept in `CACHE`."""
    folder = CACHE / (f"calls-{calls}" if agents is None else f"calls-{calls}-agents-{agents}")
    file = folder / "cleaned_calls.parquet"
    if not (folder / "manifest.json").exists():
        from supportapi.dataset.sample import make_sample  # noqa: PLC0415 - the main process stays small

        tell(f"making {calls:,} calls in {folder}")
        make_sample(calls, SEED, folder, agents=agents)
    return file


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def run_child(module: str, *words: str, env: Mapping[str, str] | None = None) -> Any:
    """What `python -m benchmarks.<module> <words>` prints as JSON; it ends with us, however we end."""
    child = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *words],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=die_with_parent(),
    )
    return json.loads(child.stdout)


def peak_mebibytes() -> float:
    """The most memory that this process ever had."""
    if sys.platform == "linux":
        # A child's getrusage begins with the peak of whoever forked it; this begins at the program's start.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    import resource  # noqa: PLC0415 - there is none on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (_MEBIBYTE if sys.platform == "darwin" else 1024)


def seconds_of(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of `values` do not exceed (the nearest rank)."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of ours / theirs, round by round: what disturbs a round disturbs both."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def milliseconds(seconds: float) -> str:
    """`seconds` for a table."""
    return f"{seconds * 1000:,.2f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], notes: str) -> None:
    """A markdown table; the first column is text, the others numbers."""
    lines = [f"\n### {title}\n", f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 1)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    print("\n".join([*lines, "", notes]), flush=True)


def tell(what: str) -> None:
    """Say what takes long, beside the tables."""
    print(f"... {what}", file=sys.stderr, flush=True)
