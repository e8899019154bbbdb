"""A made-up support centre: who works there, when its phones ring and what comes of each call.

Everything is drawn as uniform numbers and looked up in tables of integers: `exp` and `log` of different machines may
differ in the last bit, and equal seeds must give equal bytes everywhere.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Ints = NDArray[np.int64]

REGIONS: Final = ("North America", "Latin America", "UK & Ireland", "Central Europe", "Southern Europe", "Asia Pacific")
ISSUE_TYPES: Final = (
    "Billing", "Login", "Delivery", "Technical fault", "Cancellation", "Refund", "Upgrade", "Account details",
    "Service outage", "Onboarding", "Warranty", "Complaint",
)  # fmt: skip
CHANNELS: Final = ("phone", "chat", "callback", "email")
RESOLUTIONS: Final = ("resolved", "escalated", "pending")
ESCALATED, PENDING = 1, 2
PHONE_PERCENT_LOST = 12
_OUTAGE: Final = ISSUE_TYPES.index("Service outage")
_FIRST: Final = (
    "Alice", "Bruno", "Carla", "Daniel", "Elena", "Farid", "Grace", "Hannah", "Ivan", "Julia", "Kenji", "Laura",
    "Marek", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Samuel", "Tanja", "Umar", "Vera", "William", "Ximena",
    "Yusuf", "Zofia", "Amara", "Ben", "Chloe",
)  # fmt: skip
_LAST: Final = (
    "Almeida", "Baker", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ivanova", "Jensen", "Keller",
    "Lopez", "Meyer", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Silva", "Tanaka", "Ueda", "Vargas", "Weber", "Xu",
    "Young", "Zimmermann", "Andersson", "Byrne", "Cohen", "Demir", "Evans",
)  # fmt: skip
_REGION_SHARES: Final = (30, 12, 17, 18, 11, 12)
_UTC_OFFSETS: Final = (-6, -4, 0, 1, 1, 8)
_LOCAL_HOURS: Final = (4, 3, 2, 2, 3, 6, 16, 38, 74, 98, 106, 100, 82, 88, 94, 90, 84, 76, 62, 46, 32, 22, 14, 8)
_WEEKDAYS: Final = (118, 110, 104, 103, 100, 58, 46)
_MONTHS: Final = (104, 98, 97, 99, 100, 96, 92, 93, 101, 105, 112, 115)
_ISSUE_SHARES: Final = (190, 140, 130, 125, 70, 85, 60, 70, 30, 40, 25, 35)
_ISSUE_MEDIAN_SECONDS: Final = (245, 150, 190, 420, 260, 230, 280, 170, 210, 360, 300, 390)
_ISSUE_RESOLVED_PERMILLE: Final = (790, 880, 760, 640, 720, 780, 830, 900, 560, 810, 690, 520)
_TABLE_SIZE: Final = 16_384
_MEMORY_DAYS: Final = 6
_PER_MILLE: Final = 1000
_COVER_WEIGHT: Final = 0.05


class Day(NamedTuple):
    """One day's calls in order of their start; arrays of equal length, -1 where the value is not known."""

    started_seconds: Ints
    """Since the day began in UTC."""
    customer: Ints
    agent: Ints
    region: Ints
    channel: Ints
    issue_type: Ints
    wait_deciseconds: Ints
    duration_deciseconds: Ints
    answered: NDArray[np.bool_]
    resolution: Ints
    rating: Ints


class Centre:
    """The centre that takes `calls` calls, the last of them on the day `end`; all of it follows from `seed`.

    `agents` work there, or as many as so many calls need when it is None.
    """

    def __init__(self, calls: int, seed: int, end: date, agents: int | None = None) -> None:
        self._seed = seed
        self.calls = calls
        self.days = days_for(calls)
        self.first_day = end - timedelta(days=self.days - 1)
        self.agents = agents or min(1200, max(12, math.isqrt(calls) // 4))
        self.counts = self._counts()
        self._customers = max(60, calls // 4)
        self._memory: list[tuple[Ints, Ints, Ints]] = []
        self._agent_shares = self._staff()
        draw = np.random.default_rng([seed, 1])
        self._skill = _below(draw.random(self.agents), 240) - 120
        self._pace_percent = _below(draw.random(self.agents), 46) + 80
        self._waits = _lognormal(10.0, 1.1, 0.0, 1800.0)
        self._patience = _lognormal(105.0, 1.05, 1.0, 3600.0)
        self._talk = _lognormal(1.0, 0.62, 0.05, 14.0, unit=1000)

    def agent_names(self) -> list[str]:
        """A different name for each agent."""
        pairs = ((k % len(_FIRST), (k * 7 + k // len(_FIRST)) % len(_LAST), k) for k in range(self.agents))
        names: dict[str, None] = {}
        for first, last, k in pairs:
            name = f"{_FIRST[first]} {_LAST[last]}"
            names[
                name if name not in names else f"{_FIRST[first]} {_FIRST[k // 3 % len(_FIRST)][0]}. {_LAST[last]} {k}"
            ] = None
        return list(names)

    def day(self, index: int) -> Day:
        """The calls of day number `index`; to be asked for in order, since some customers call again."""
        draw = np.random.default_rng([self._seed, 2, index])
        count = int(self.counts[index])
        mood = int(draw.integers(85, 126))
        outage = bool(draw.random() < 0.02)  # noqa: PLR2004 - one day in fifty
        seconds, region = self._starts(draw, count)
        issue = _choose(draw.random(count), np.asarray(_ISSUE_SHARES))
        if outage:
            issue[draw.random(count) < 0.3] = _OUTAGE  # noqa: PLR2004 - a third of that day's calls
        customer = _below(draw.random(count) ** 2, self._customers // len(REGIONS)) * len(REGIONS) + region
        self._call_again(draw, customer, issue, region)
        wait, answered = self._waiting(draw, seconds, mood)
        agent = self._agents_for(draw, region)
        resolution = self._resolutions(draw, issue, agent)
        rating = self._ratings(draw, agent, resolution, wait)
        talk = self._talk[_below(draw.random(count), _TABLE_SIZE)]
        duration = talk * np.asarray(_ISSUE_MEDIAN_SECONDS)[issue] * self._pace_percent[agent] // 10_000
        left_open = ~answered | (resolution > 0) | (draw.random(count) < 0.12)  # noqa: PLR2004 - resolved, and yet
        self._remember(customer, issue, region, left_open)
        return Day(
            started_seconds=seconds,
            customer=_forget(draw, customer, 9),
            agent=np.where(answered, _forget(draw, agent, 6), -1),
            region=_forget(draw, region, 7),
            channel=self._channels(draw, count, index),
            issue_type=_forget(draw, issue, 8),
            wait_deciseconds=wait,
            duration_deciseconds=np.where(answered, np.maximum(duration, 30), -1),
            answered=answered,
            resolution=np.where(answered, _forget(draw, resolution, 15), -1),
            rating=np.where(answered, rating, -1),
        )

    def _counts(self) -> Ints:
        draw = np.random.default_rng([self._seed, 0])
        noise = draw.integers(93, 108, self.days)
        days = [self.first_day + timedelta(days=k) for k in range(self.days)]
        weights = [
            (3000 + 1000 * k // self.days) * _WEEKDAYS[day.weekday()] * _month_percent(day) * int(noise[k])
            for k, day in enumerate(days)
        ]
        return _share_out(self.calls, weights)

    def _staff(self) -> list[NDArray[np.float64]]:
        """For each region the cumulated shares of the agents: their own region first, a little of the next one."""
        homes = [_home(k) for k in range(self.agents)]
        busy = [round(1_000_000 / (1 + k // len(REGIONS)) ** 0.7) for k in range(self.agents)]
        shares: list[NDArray[np.float64]] = []
        for region in range(len(REGIONS)):
            own = np.array([busy[k] if homes[k] == region else 0 for k in range(self.agents)], dtype=np.float64)
            cover = np.array(
                [busy[k] if (homes[k] + 1 + k % 2) % len(REGIONS) == region else 0 for k in range(self.agents)],
                dtype=np.float64,
            )
            cumulated = np.cumsum(own + cover * _COVER_WEIGHT)
            shares.append(cumulated / cumulated[-1])
        return shares

    def _starts(self, draw: np.random.Generator, count: int) -> tuple[Ints, Ints]:
        cells = np.array(
            [
                share * _LOCAL_HOURS[(hour + offset) % 24]
                for share, offset in zip(_REGION_SHARES, _UTC_OFFSETS, strict=True)
                for hour in range(24)
            ]
        )
        cell = _choose(draw.random(count), cells)
        seconds = cell % 24 * 3600 + _below(draw.random(count), 3600)
        order = np.argsort(seconds, kind="stable")
        return seconds[order], (cell // 24)[order]

    def _call_again(self, draw: np.random.Generator, customer: Ints, issue: Ints, region: Ints) -> None:
        """Turn some of today's calls into the next one of a customer whose issue was left open lately; in place."""
        again = np.flatnonzero(draw.random(customer.size) < 0.11)  # noqa: PLR2004 - one call in nine
        ages = _below(draw.random(again.size) ** 2, _MEMORY_DAYS)
        picks = draw.random(again.size)
        for age, (customers, issues, regions) in enumerate(reversed(self._memory)):
            chosen = ages == age
            if customers.size == 0:
                continue
            which = _below(picks[chosen], customers.size)
            customer[again[chosen]] = customers[which]
            issue[again[chosen]] = issues[which]
            region[again[chosen]] = regions[which]

    def _remember(self, customer: Ints, issue: Ints, region: Ints, left_open: NDArray[np.bool_]) -> None:
        self._memory = [*self._memory[1 - _MEMORY_DAYS :], (customer[left_open], issue[left_open], region[left_open])]

    def _waiting(self, draw: np.random.Generator, seconds: Ints, mood: int) -> tuple[Ints, NDArray[np.bool_]]:
        busy = np.bincount(seconds // 3600, minlength=24)
        load_percent = 45 + 110 * busy // max(int(busy.max()), 1)
        load_percent[12:14] += 45  # lunch
        wait = (
            self._waits[_below(draw.random(seconds.size), _TABLE_SIZE)] * load_percent[seconds // 3600] * mood // 10_000
        )
        patience = self._patience[_below(draw.random(seconds.size), _TABLE_SIZE)]
        patience = np.where(draw.random(seconds.size) < 0.02, patience // 40, patience)  # noqa: PLR2004 - hang up at once
        return np.minimum(wait, patience), wait <= patience

    def _agents_for(self, draw: np.random.Generator, region: Ints) -> Ints:
        drawn = draw.random(region.size)
        agent = np.zeros(region.size, dtype=np.int64)
        for number, shares in enumerate(self._agent_shares):
            here = region == number
            agent[here] = np.searchsorted(shares, drawn[here], side="right")
        return agent

    def _resolutions(self, draw: np.random.Generator, issue: Ints, agent: Ints) -> Ints:
        permille = np.asarray(_ISSUE_RESOLVED_PERMILLE)[issue] + self._skill[agent] // 2
        open_as = np.where(draw.random(issue.size) < 0.58, ESCALATED, PENDING)  # noqa: PLR2004 - the larger half
        return np.where(_below(draw.random(issue.size), _PER_MILLE) < permille, 0, open_as)

    def _ratings(self, draw: np.random.Generator, agent: Ints, resolution: Ints, wait: Ints) -> Ints:
        mark = _below(draw.random(agent.size), _PER_MILLE) + self._skill[agent] + np.where(resolution == 0, 120, -160)
        mark = mark - np.minimum(wait // 20, 120)
        rating = 1 + np.searchsorted(np.array([60, 150, 330, 640]), mark, side="right")
        return np.where(draw.random(agent.size) < 0.46, rating, -1)  # noqa: PLR2004 - most customers do not rate

    def _channels(self, draw: np.random.Generator, count: int, index: int) -> Ints:
        lost = PHONE_PERCENT_LOST * index // self.days
        return _choose(draw.random(count), np.array([64 - lost, 20 + lost, 9, 7]))


def days_for(calls: int) -> int:
    """How many days `calls` calls are spread over: three years for ten million, fourteen months for 200,000."""
    if calls <= 200_000:  # noqa: PLR2004 - where the slope changes
        return max(14, 430 * calls // 200_000)
    return min(1096, 430 + 666 * (calls - 200_000) // 9_800_000)


def midnight_utc(day: date) -> datetime:
    """The naive instant at which `day` begins."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - microseconds since 1970 are counted from it


def _home(agent: int) -> int:
    """The home region of an agent: every region has some, the larger ones more."""
    if agent < len(REGIONS):
        return agent
    position = agent * 37 % 100
    return next(k for k in range(len(REGIONS)) if position < sum(_REGION_SHARES[: k + 1]))


def _month_percent(day: date) -> int:
    this, following = _MONTHS[day.month - 1], _MONTHS[day.month % 12]
    return this + (following - this) * (day.day - 1) // 31


def _share_out(total: int, weights: Sequence[int]) -> Ints:
    """`total` in whole parts proportional to `weights`, by largest remainder."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda k: (-(total * weights[k] % whole), k))
    for k in order[: total - sum(parts)]:
        parts[k] += 1
    return np.array(parts, dtype=np.int64)


def _lognormal(median: float, sigma: float, low: float, high: float, *, unit: int = 10) -> Ints:
    """The quantiles of a lognormal distribution, cut to `[low, high]`, in whole 1/`unit`."""
    normal = NormalDist()
    points = (normal.inv_cdf((k + 0.5) / _TABLE_SIZE) for k in range(_TABLE_SIZE))
    return np.array([round(unit * min(max(median * math.exp(sigma * z), low), high)) for z in points], dtype=np.int64)


def _below(uniform: NDArray[np.float64], limit: int) -> Ints:
    """Uniform numbers of [0, 1) as integers of [0, limit)."""
    return np.minimum((uniform * limit).astype(np.int64), limit - 1)


def _choose(uniform: NDArray[np.float64], weights: Ints) -> Ints:
    cumulated = np.cumsum(weights)
    return np.searchsorted(cumulated / cumulated[-1], uniform, side="right").astype(np.int64)


def _forget(draw: np.random.Generator, values: Ints, permille: int) -> Ints:
    return np.where(_below(draw.random(values.size), _PER_MILLE) < permille, -1, values)
