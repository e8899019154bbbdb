from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.measures.tally import COUNTS, SUMS, Tally
from supportapi.rollups.catalogue import METRICS, VARIANTS, service_level
from supportapi.rollups.formulas import computed

COUNTED = tuple(metric for metric in METRICS if metric.needs == "tally")


@settings(max_examples=50, derandomize=True, database=None)
@given(st.integers(0, 2**32))
def test_metrics_of_a_tally_are_the_same_together_as_one_by_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    counts, sums = draw.integers(0, 3, (4, len(COUNTS))), draw.integers(0, 2**40, (4, len(SUMS)))
    tally = Tally(counts, sums)

    found = computed(COUNTED, tally)

    np.testing.assert_array_equal(
        np.array([found[metric.key] for metric in COUNTED]),
        np.array([metric.compute(tally) for metric in COUNTED]),
    )


def test_every_variant_of_the_service_level_divides_by_its_own_calls() -> None:
    tally = Tally(np.arange(len(COUNTS)) + 5, np.arange(len(SUMS)))
    levels = [service_level(30, variant) for variant in VARIANTS]

    found = [float(computed((level,), tally)["service_level"]) for level in levels]

    assert found == [float(level.compute(tally)) for level in levels]
    assert len(set(found)) == len(VARIANTS)


def test_no_metrics_of_a_tally_are_none() -> None:
    assert computed((), Tally.zeros((3,))) == {}
