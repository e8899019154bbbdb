from __future__ import annotations

from datetime import date

import polars as pl

from supportapi.rollups.day_runs import in_day_runs


def _cells(*rows: tuple[int, str, int]) -> pl.DataFrame:
    days = [date(2026, 3, day) for day, _, _ in rows]
    return pl.DataFrame({"day": days, "region": [row[1] for row in rows], "calls": [row[2] for row in rows]})


def _added(cells: pl.DataFrame) -> pl.DataFrame:
    return cells.group_by("day", "region").agg(pl.col("calls").sum()).sort("day", "region")


def test_days_that_several_files_have_are_added_up_where_they_stand() -> None:
    early = _cells((1, "a", 1), (2, "a", 2), (3, "a", 3), (3, "b", 4))
    late = _cells((3, "b", 10), (4, "a", 20), (9, "c", 30))

    joined = in_day_runs([late, early], _added)

    assert (
        joined.rows() == _cells((1, "a", 1), (2, "a", 2), (3, "a", 3), (3, "b", 14), (4, "a", 20), (9, "c", 30)).rows()
    )


def test_only_cells_of_shared_days_are_looked_at_again() -> None:
    seen: list[int] = []

    def counted(cells: pl.DataFrame) -> pl.DataFrame:
        seen.append(cells.height)
        return _added(cells)

    in_day_runs([_cells((1, "a", 1), (2, "a", 2)), _cells((2, "b", 1), (3, "a", 2))], counted)
    in_day_runs([_cells((5, "a", 1)), _cells((1, "b", 1), (3, "a", 2))], counted)

    assert seen == [2]


def test_one_file_may_stand_in_the_middle_of_another() -> None:
    around, inside = _cells((1, "a", 1), (9, "a", 2)), _cells((4, "b", 3), (5, "b", 4))

    joined = in_day_runs([around, inside], _added)

    assert joined.rows() == _cells((1, "a", 1), (4, "b", 3), (5, "b", 4), (9, "a", 2)).rows()


def test_files_without_a_call_add_nothing() -> None:
    nothing = _cells((1, "a", 1)).clear()

    assert in_day_runs([nothing, nothing], _added).height == 0
    assert in_day_runs([nothing, _cells((1, "a", 1))], _added).rows() == _cells((1, "a", 1)).rows()
