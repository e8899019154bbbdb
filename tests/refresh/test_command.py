"""The refresh command: run as words, never by a shell, and never left behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil
import pytest

from supportapi.errors import RefreshFailed
from supportapi.refresh.command import run_command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.refresh.conftest import Until


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_it_prints_is_told_from_both_streams() -> None:
    output = run_command("""python3 -c 'import sys; print("out"); print("err", file=sys.stderr)'""", 20)

    assert sorted(output.split()) == ["err", "out"]


def test_only_the_tail_of_a_long_output_is_kept() -> None:
    output = run_command("""python3 -c 'print("x" * 1_000_000 + "end")'""", 20)

    assert len(output) <= 4096
    assert output.strip().endswith("end")


def test_words_are_words_and_nothing_is_expanded(tmp_path: Path) -> None:
    victim = tmp_path / "victim"

    output = run_command(f"echo 'two words' ; touch {victim} $HOME", 20)

    assert output.strip() == f"two words ; touch {victim} $HOME"
    assert not victim.exists()


def test_a_failing_command_says_its_status_and_its_last_words() -> None:
    with pytest.raises(RefreshFailed) as failed:
        run_command("""python3 -c 'import sys; print("no space"); sys.exit(3)'""", 20)

    assert failed.value.facts["status"] == 3
    assert "no space" in str(failed.value.facts["output"])


@pytest.mark.parametrize("command", ["no-such-command --now", "'unclosed", "   "])
def test_a_command_that_cannot_be_started_is_a_failure_with_a_name(command: str) -> None:
    with pytest.raises(RefreshFailed, match="REFRESH_COMMAND cannot be"):
        run_command(command, 20)


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path, until: Until) -> None:
    note = tmp_path / "pids"
    began = time.monotonic()

    with pytest.raises(RefreshFailed, match=r"within 0\.5 s"):
        run_command(f"sh -c 'sleep 60 & echo $! $$ > {note}; wait'", 0.5)

    assert time.monotonic() - began < 30
    until(lambda: not any(_alive(pid) for pid in map(int, note.read_text().split())))
