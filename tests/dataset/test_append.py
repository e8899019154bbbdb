from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.calls.manifest import Manifest, read_manifest
from supportapi.calls.record import canonical
from supportapi.dataset.append import Appended, partition_of
from supportapi.dataset.files import sha256_of
from supportapi.dataset.placement import Placement, place
from supportapi.dataset.write import Partition, Writer
from supportapi.errors import DataCorrupt, DataMismatch, DataMissing, ManifestInvalid, SchemaInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

MAY, JUNE, JULY = (datetime(2024, month, 6, 12, tzinfo=UTC) for month in (5, 6, 7))
FORMS = pytest.mark.parametrize("partition", ["month", "none"])
Row = tuple[str, datetime, int | None]


def put(out: Path, *rows: Row, partition: Partition | None = None, append: bool = False) -> Appended | None:
    """Make calls of `(id, start, rating)` the live dataset, or add them to it."""
    columns: dict[str, list[Any]] = {
        "call_id": [row[0] for row in rows],
        "started_at": [row[1] for row in rows],
        "rating": [row[2] for row in rows],
    }
    with Writer(out) as writer:
        placed = place(canonical(pl.LazyFrame(columns)), writer, Placement(partition, append))
        writer.publish(placed.manifest)
    return placed.appended


def live(out: Path) -> Manifest:
    return read_manifest((out / "manifest.json").read_bytes())


def stored(out: Path) -> list[Row]:
    files = [pl.read_parquet(out / file.path) for file in live(out).files]
    return pl.concat(files).select("call_id", "started_at", "rating").rows()


@FORMS
def test_new_calls_are_added_changed_ones_replaced_and_equal_ones_counted(tmp_path: Path, partition: Partition) -> None:
    put(tmp_path, ("a", MAY, 1), ("b", MAY, None), ("c", JUNE, 3), partition=partition)

    appended = put(tmp_path, ("b", MAY, 5), ("c", JUNE, 3), ("d", JULY, 4), append=True)

    assert appended == Appended(added=1, replaced=1, unchanged=1)
    assert stored(tmp_path) == [("a", MAY, 1), ("b", MAY, 5), ("c", JUNE, 3), ("d", JULY, 4)]
    assert partition_of(live(tmp_path)) == partition
    assert live(tmp_path).row_count == 4


@FORMS
def test_a_call_that_now_starts_in_another_month_leaves_the_old_one(tmp_path: Path, partition: Partition) -> None:
    put(tmp_path, ("a", MAY, 1), ("b", MAY, 2), ("c", JUNE, 3), partition=partition)

    appended = put(tmp_path, ("b", JUNE, 2), append=True)

    assert appended == Appended(added=0, replaced=1, unchanged=0)
    assert stored(tmp_path) == [("a", MAY, 1), ("b", JUNE, 2), ("c", JUNE, 3)]


def test_a_month_whose_last_call_left_is_no_file_any_more(tmp_path: Path) -> None:
    put(tmp_path, ("a", MAY, 1), ("c", JUNE, 3), partition="month")

    put(tmp_path, ("a", JULY, 1), append=True)

    assert [file.path[:13] for file in live(tmp_path).files] == ["calls-2024-06", "calls-2024-07"]


def test_months_that_are_not_concerned_are_not_read(tmp_path: Path) -> None:
    put(tmp_path, ("a", MAY, 1), ("c", JUNE, 3), partition="month")
    may = tmp_path / live(tmp_path).files[0].path
    document = bytearray(may.read_bytes())
    statistics = document.rindex(b"rating")
    document[statistics : statistics + 1] = b"R"
    may.write_bytes(document)

    put(tmp_path, ("d", JUNE, 4), append=True)

    assert [file.row_count for file in live(tmp_path).files] == [1, 2]


def test_an_append_to_nothing_is_an_ingest(tmp_path: Path) -> None:
    appended = put(tmp_path, ("a", MAY, 1), append=True)

    assert appended is None
    assert live(tmp_path).path == "cleaned_calls.parquet"


@FORMS
def test_another_form_may_be_asked_for_on_the_way(tmp_path: Path, partition: Partition) -> None:
    put(tmp_path, ("a", MAY, 1), ("b", JUNE, 2), partition="none" if partition == "month" else "month")

    appended = put(tmp_path, ("c", JULY, 3), partition=partition, append=True)

    assert appended == Appended(added=1, replaced=0, unchanged=0)
    assert partition_of(live(tmp_path)) == partition
    assert [row[0] for row in stored(tmp_path)] == ["a", "b", "c"]


def test_a_foreign_dataset_becomes_one_file_of_ours(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a"], "start_time": [MAY], "skill_rating": [4]})
    frame.write_parquet(tmp_path / "theirs.parquet")
    digest = sha256_of(tmp_path / "theirs.parquet")
    (tmp_path / "manifest.json").write_text(f'{{"path": "theirs.parquet", "hash": "{digest}"}}')

    put(tmp_path, ("b", JUNE, 2), append=True)

    assert stored(tmp_path) == [("a", MAY, 4), ("b", JUNE, 2)]


@FORMS
def test_a_live_file_that_is_gone_or_damaged_is_not_added_to(tmp_path: Path, partition: Partition) -> None:
    put(tmp_path, ("a", MAY, 1), partition=partition)
    path = tmp_path / live(tmp_path).path
    other = pl.read_parquet(path).with_columns(rating=pl.lit(2, pl.Int8))
    other.write_parquet(path)

    with pytest.raises(DataMismatch, match="Ingest without --append"):
        put(tmp_path, ("b", MAY, 1), append=True)
    path.unlink()
    with pytest.raises(DataMissing, match="Ingest without --append"):
        put(tmp_path, ("b", MAY, 1), append=True)


def test_a_manifest_that_cannot_be_read_is_replaced_but_not_added_to(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")

    with pytest.raises(ManifestInvalid):
        put(tmp_path, ("a", MAY, 1), append=True)

    put(tmp_path, ("a", MAY, 1))
    assert live(tmp_path).row_count == 1


_ROWS = st.lists(
    st.tuples(
        st.sampled_from("abcdefghijkl"),
        st.integers(0, 60 * 24 * 100).map(lambda minutes: MAY + timedelta(minutes=minutes)),
        st.none() | st.integers(1, 5),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[0],
)


@settings(max_examples=25, deadline=None)
@given(rows=_ROWS, data=st.data(), partition=st.sampled_from(["month", "none"]))
def test_pieces_appended_in_any_order_are_the_dataset_ingested_in_one_go(
    rows: list[Row], data: st.DataObject, partition: Partition
) -> None:
    shuffled = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(rows) - 1, 1)), max_size=3)))
    # What is replaced later does not matter: every piece but the last also holds calls of the next one, changed.
    pieces = [shuffled[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    pieces = [piece for piece in pieces if piece]
    with tempfile.TemporaryDirectory() as folder:
        whole, grown = Path(folder) / "whole", Path(folder) / "grown"
        put(whole, *rows, partition=partition)

        put(grown, *_outdated(rows[:1]), partition=partition)
        appended = [put(grown, *piece, append=True) for piece in pieces]

        assert stored(grown) == stored(whole)
        assert [(file.path, file.hash) for file in live(grown).files] == [
            (file.path, file.hash) for file in live(whole).files
        ]
        assert live(grown).columns == live(whole).columns
        assert sum(each.added for each in appended if each) == len(rows) - 1
        assert sum(each.replaced for each in appended if each) == 1


def _outdated(rows: Sequence[Row]) -> list[Row]:
    """The calls as they were before: in another month."""
    return [(call_id, started - timedelta(days=200), rating) for call_id, started, rating in rows]


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({"id": ["a"], "start_time": ["at noon"]}, SchemaInvalid),
        ({"id": ["a"]}, SchemaInvalid),
        ({"id": ["a"], "start_time": [None]}, SchemaInvalid),
        (None, DataCorrupt),
    ],
)
def test_nothing_is_added_to_a_file_of_somebody_else_that_holds_no_calls(
    tmp_path: Path, columns: dict[str, list[str]] | None, refusal: type[DataCorrupt | SchemaInvalid]
) -> None:
    file = tmp_path / "cleaned_calls.parquet"
    if columns is None:
        file.write_text("no Parquet")
    else:
        pl.DataFrame(columns).write_parquet(file)
    (tmp_path / "manifest.json").write_text(f'{{"path": "{file.name}", "hash": "{sha256_of(file)}"}}')
    before = file.read_bytes()

    with pytest.raises(refusal, match=r"cleaned_calls\.parquet\. Ingest without --append"):
        put(tmp_path, ("b", MAY, 5), append=True)

    assert file.read_bytes() == before
