from __future__ import annotations

from datetime import date

from supportapi.answers.delta import Baseline, Delta, baseline, delta
from supportapi.calls.window import Window
from supportapi.rollups.catalogue import metric_of

WHOLE = Baseline(exists=True, whole=True)


def test_more_calls_are_neither_good_nor_bad() -> None:
    assert delta(metric_of("calls"), 12, 10, WHOLE) == Delta(absolute=2, percent=20.0, direction="up", good=None)


def test_a_shorter_wait_is_good() -> None:
    found = delta(metric_of("average_speed_of_answer"), 15.0, 20.0, WHOLE)

    assert found == Delta(absolute=-5.0, percent=-25.0, direction="down", good=True)


def test_rates_differ_in_percentage_points() -> None:
    found = delta(metric_of("csat"), 80.0, 75.0, WHOLE)

    assert found == Delta(absolute=5.0, percent=None, direction="up", good=True, reason="percentage_points")


def test_nothing_before_is_no_baseline_and_not_a_rise() -> None:
    found = delta(metric_of("calls"), 12, None, Baseline(exists=False, whole=False))

    assert found == Delta(absolute=None, percent=None, direction=None, good=None, reason="no_baseline")


def test_a_rise_from_zero_has_no_percent() -> None:
    assert delta(metric_of("calls"), 5, 0, WHOLE).reason == "zero_baseline"


def test_totals_of_unequal_spans_have_no_percent() -> None:
    partial = Baseline(exists=True, whole=False)

    assert delta(metric_of("calls"), 5, 3, partial).reason == "partial_period"
    assert delta(metric_of("average_duration"), 6.0, 3.0, partial).percent == 100.0


def test_a_value_that_is_not_known_now_is_told_from_one_that_was_not_known_before() -> None:
    assert delta(metric_of("csat"), None, 80.0, WHOLE).reason == "no_value"
    assert delta(metric_of("csat"), 80.0, None, WHOLE).reason == "no_baseline"


def test_totals_and_maxima_of_unequal_spans_are_neither_good_nor_bad() -> None:
    partial = Baseline(exists=True, whole=False)

    assert delta(metric_of("unanswered"), 31, 28, partial) == Delta(
        absolute=3, percent=None, direction="up", good=None, reason="partial_period"
    )
    assert delta(metric_of("longest_wait"), 90.0, 60.0, partial).good is None
    assert delta(metric_of("answer_rate"), 90.0, 80.0, partial).good is True


def test_no_move_is_flat_and_neither_good_nor_bad() -> None:
    found = delta(metric_of("average_duration"), 0.1 + 0.2, 0.3, WHOLE)

    assert (found.direction, found.good) == ("flat", None)


def test_a_window_before_the_data_is_no_baseline() -> None:
    data = Window(date(2026, 1, 1), date(2026, 2, 1))

    assert baseline(data, Window(date(2025, 12, 1), date(2026, 1, 1)), data) == Baseline(exists=False, whole=False)
