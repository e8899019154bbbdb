"""Clients that ask without a pause, and remember every answer."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from tests.faults.system import Member

_PAUSE_SECONDS = 0.02
_QUERIES = {
    "queries": {"metrics": {"kind": "metrics", "range": "all"}, "calls": {"kind": "calls", "range": "all"}},
}


@dataclass(frozen=True)
class Answer:
    """What an API said: whose data, and in how many ways how many calls that has. Status 0: it said nothing."""

    status: int
    code: str | None = None
    datasets: frozenset[str] = frozenset()
    counts: frozenset[int] = frozenset()
    stale_reason: str | None = None

    def true(self, truth: Mapping[str, int]) -> bool:
        """Whether all of it is of one dataset, and what that dataset has."""
        return len(self.datasets) == 1 and self.counts == frozenset(truth[dataset] for dataset in self.datasets)


class Witness:
    """One client of one API, which may be exchanged for another."""

    def __init__(self, api: Member) -> None:
        self.api = api
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="witness")
        self.answers: list[Answer] = []

    def untrue(self, truth: Mapping[str, int]) -> list[Answer]:
        """The successes that are wrong, or of two datasets."""
        return [answer for answer in self.answers if answer.status == 200 and not answer.true(truth)]

    def failures(self) -> set[tuple[int, str | None]]:
        """Status and code of everything that was no success."""
        return {(answer.status, answer.code) for answer in self.answers if answer.status != 200}

    def reasons(self) -> set[str | None]:
        """Why what was served was stale; None where it was fresh."""
        return {answer.stale_reason for answer in self.answers if answer.status == 200}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(30)

    def _ask(self) -> None:
        while not self._ended.wait(_PAUSE_SECONDS):
            self.answers.append(_of_metrics(*self.api.ask("/api/metrics?range=all")))
            self.answers.append(_of_query(*self.api.ask("/api/query", _QUERIES)))


@contextmanager
def asking(*apis: Member) -> Generator[list[Witness]]:
    """A witness of each of these."""
    witnesses = [Witness(api) for api in apis]
    for witness in witnesses:
        witness.start()
    try:
        yield witnesses
    finally:
        for witness in witnesses:
            witness.stop()


def _of_metrics(status: int, said: Any) -> Answer:
    if status != 200:
        return _failure(status, said)
    return Answer(
        200,
        datasets=frozenset({said["meta"]["dataset_hash"]}),
        counts=frozenset(_counts(said["data"])),
        stale_reason=said["meta"]["stale_reason"],
    )


def _of_query(status: int, said: Any) -> Answer:
    if status != 200:
        return _failure(status, said)
    metrics, calls = said["data"]["metrics"], said["data"]["calls"]
    return Answer(
        200,
        datasets=frozenset({metrics["meta"]["dataset_hash"], calls["meta"]["dataset_hash"]}),
        counts=frozenset({*_counts(metrics["data"]), calls["meta"]["total"]}),
        stale_reason=metrics["meta"]["stale_reason"],
    )


def _counts(data: Any) -> set[int]:
    calls = next(card["value"] for card in data["kpis"] if card["key"] == "calls")
    return {calls, *(sum(row["calls"] for row in table["rows"]) for table in data["breakdowns"] if table["rows"])}


def _failure(status: int, said: Any) -> Answer:
    return Answer(status, cast("dict[str, Any]", said)["error"]["code"] if isinstance(said, dict) else None)
