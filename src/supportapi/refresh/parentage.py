"""Children that do not outlive their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent(number: int = signal.SIGKILL, parent: int | None = None) -> Callable[[], None] | None:
    """What a child runs right after the fork so that `number` ends it when its parent ends, by SIGKILL included.

    Make it before the fork, or give the `parent` in the child. The parent is the *thread* that forks: fork from the
    main thread. None where the kernel has no such thing (macOS).
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    expected = os.getpid() if parent is None else parent

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != expected:  # it ended between the fork and the request
            os._exit(1)

    return ask_kernel
