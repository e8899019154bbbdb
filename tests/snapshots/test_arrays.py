"""A version's arrays on one machine: whole or not there, shared, read-only."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from supportapi.errors import DatasetNotWritable
from supportapi.snapshots.arrays import Arrays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_A, _B = "a" * 16, "b" * 16


def _some(value: int = 1) -> dict[str, NDArray[Any]]:
    return {
        "cells": np.full((3, 4), value, dtype=np.int64),
        "codes": np.arange(5, dtype=np.uint8),
        "empty": np.zeros((0, 2), dtype=np.float64),
        "turned": np.asfortranarray(np.arange(6).reshape(2, 3)),
    }


def test_what_was_saved_is_loaded_as_it_was(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)
    arrays.save(_A, {"zones": ["UTC"], "rows": 5}, _some())

    loaded = arrays.load(_A)

    assert loaded is not None
    header, found = loaded
    assert header == {"zones": ["UTC"], "rows": 5}
    assert set(found) == set(_some())
    assert [name for name, array in _some().items() if not np.array_equal(array, found[name])] == []
    assert [name for name, array in _some().items() if array.dtype != found[name].dtype] == []


def test_loaded_arrays_are_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)
    arrays.save(_A, {}, _some())

    loaded = arrays.load(_A)

    assert loaded is not None
    cells = loaded[1]["cells"]
    assert not cells.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        cells[0, 0] = 9


def test_a_version_that_is_not_here_is_none_and_so_is_a_name_that_is_no_version(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)

    assert arrays.load(_A) is None
    assert arrays.load("../../etc") is None
    assert not arrays.has(_A)
    assert arrays.versions() == set()


def test_a_file_that_was_cut_makes_the_version_absent(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)
    arrays.save(_A, {}, _some())
    victim = tmp_path / "versions" / _A / "cells.npy"
    victim.write_bytes(victim.read_bytes()[:-8])

    assert arrays.load(_A) is None
    assert not arrays.has(_A)


def test_saving_again_replaces_what_is_there(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)
    arrays.save(_A, {"turn": 1}, _some(1))
    before = arrays.load(_A)

    arrays.save(_A, {"turn": 2}, _some(2))

    after = arrays.load(_A)
    assert before is not None
    assert after is not None
    assert (after[0]["turn"], int(after[1]["cells"][0, 0])) == (2, 2)
    assert int(before[1]["cells"][0, 0]) == 1  # whoever mapped the old one keeps it
    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == [".lock", _A]


def test_pruning_removes_the_others_and_leaves_what_is_mapped_readable(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)
    arrays.save(_A, {}, _some(7))
    arrays.save(_B, {}, _some())
    mapped = arrays.load(_A)

    arrays.prune({_B})

    assert arrays.versions() == {_B}
    assert mapped is not None
    assert int(mapped[1]["cells"].sum()) == 84


def test_an_array_that_would_be_a_path_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)

    with pytest.raises(ValueError, match="name of an array"):
        arrays.save(_A, {}, {"../cells": np.zeros(3)})

    assert arrays.load(_A) is None
    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == [".lock"]


def test_objects_are_never_pickled(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        Arrays(tmp_path).save(_A, {}, {"objects": np.array([{}], dtype=object)})


def test_leftovers_of_a_killed_writer_are_swept_by_the_next(tmp_path: Path) -> None:
    arrays = Arrays(tmp_path)
    stray = tmp_path / "versions" / f".new-{_B}"
    stray.mkdir(parents=True)
    (stray / "cells.npy").write_bytes(b"half")

    arrays.save(_A, {}, _some())

    assert not stray.exists()


def test_a_folder_that_cannot_be_is_a_failure_with_a_name(tmp_path: Path) -> None:
    (tmp_path / "versions").write_text("a file in its place")

    with pytest.raises(DatasetNotWritable):
        Arrays(tmp_path).save(_A, {}, _some())


def _save_often(home: Path, value: int) -> None:
    for _ in range(15):
        Arrays(home).save(_A, {"value": value}, _some(value))


def test_two_writers_at_once_leave_one_whole_version_and_readers_never_see_a_mixed_one(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_save_often, args=(tmp_path, value)) for value in (1, 2)]
    for writer in writers:
        writer.start()
    mixed: list[object] = []
    while any(writer.is_alive() for writer in writers):
        loaded = Arrays(tmp_path).load(_A)
        if loaded is not None and set(np.unique(loaded[1]["cells"])) != {loaded[0]["value"]}:
            mixed.append(loaded[0])
    for writer in writers:
        writer.join()

    final = Arrays(tmp_path).load(_A)
    assert mixed == []
    assert final is not None
    assert [writer.exitcode for writer in writers] == [0, 0]
