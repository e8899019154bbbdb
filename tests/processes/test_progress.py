from __future__ import annotations

import io

import pytest

from supportapi.processes.progress import described, progress_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_said_to_what_is_no_terminal() -> None:
    file = io.StringIO()

    with progress_line(file) as tell:
        tell("read", 5, 10)

    assert file.getvalue() == ""


def test_stages_follow_each_other_on_lines_of_their_own() -> None:
    terminal = Terminal()

    with progress_line(terminal) as tell:
        tell("read", 10, 10)
        tell("write", 10, 10)

    lines = terminal.getvalue().replace("\r\033[K", "").splitlines()
    assert [line.split()[0] for line in lines] == ["read", "write"]


def test_a_stage_is_shown_ten_times_a_second_at_most_and_its_end_always() -> None:
    terminal = Terminal()
    times = iter([0.0, 0.0, 0.01, 0.02, 0.03])

    with progress_line(terminal, lambda: next(times)) as tell:
        tell("read", 0, 100)
        tell("read", 40, 100)
        tell("read", 100, 100)

    assert terminal.getvalue().count("\r") == 2


@pytest.mark.parametrize(
    ("done", "total", "seconds", "line"),
    [
        (250, 1000, 10.0, "read   [######------------------]  25% 250 rows, 25/s, 0:31 left"),
        (1000, 1000, 4.0, "read   [########################] 100% 1,000 rows, 250/s"),
        (1200, 1000, 4.0, "read   [########################] 100% 1,200 rows, 300/s"),
        (10, 1000, 0.5, "read   [------------------------]   1% 10 rows"),
        (250, 0, 10.0, "read   250 rows, 25/s"),
        (0, 0, 0.0, "read   0 rows"),
    ],
    ids=["under way", "done", "more than expected", "too early to tell", "unknown total", "nothing yet"],
)
def test_a_line_says_what_is_known(done: int, total: int, seconds: float, line: str) -> None:
    assert described("read", done, total, seconds) == line
