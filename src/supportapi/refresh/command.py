"""The refresh command: whatever an operator runs to make new data, without a shell in between."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from typing import BinaryIO, Final

from supportapi.errors import RefreshFailed
from supportapi.refresh.parentage import die_with_parent

_TAIL_BYTES: Final = 4096


def run_command(command: str, timeout_seconds: float) -> str:
    """Run `command`, split into words as a shell would but without one, and return the tail of what it printed.

    Raises `RefreshFailed` when it cannot be started, ends with another status than 0 or takes longer than
    `timeout_seconds`; it and its children are ended then.
    """
    try:
        words = shlex.split(command)
    except ValueError as cause:
        raise RefreshFailed(f"REFRESH_COMMAND cannot be read: {cause}.") from cause
    # Of the command only its first word is told: the others may hold a password.
    program = words[0] if words else ""
    # A file, not a pipe: however much it prints, we hold only the tail.
    with tempfile.TemporaryFile() as output:
        try:
            # S603: the words are the operator's. PLW1509: the hook only calls a library that is loaded already.
            process = subprocess.Popen(  # noqa: S603
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )
        except (OSError, IndexError, ValueError) as cause:
            raise RefreshFailed(f"REFRESH_COMMAND cannot be started: {cause}.", program=program) from cause
        try:
            status = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise RefreshFailed(
                f"REFRESH_COMMAND did not end within {timeout_seconds:g} s.", program=program, output=_tail(output)
            ) from None
        finally:
            _end(process)
        if status != 0:
            raise RefreshFailed(
                f"REFRESH_COMMAND ended with status {status}.", program=program, status=status, output=_tail(output)
            )
        return _tail(output)


def _tail(output: BinaryIO) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _TAIL_BYTES))
    return output.read().decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    # Its whole session: a command that started others and ended badly leaves none of them.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
