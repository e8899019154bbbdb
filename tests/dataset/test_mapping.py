from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportapi.dataset.mapping import load_mapping
from supportapi.errors import MappingInvalid
from tests.datasets import MAPPINGS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["pwc-call-centre", "rwfd-call-center", "anonymous-bank-1999-02"])
def test_the_mappings_that_we_ship_are_valid_and_named_like_their_file(name: str) -> None:
    assert load_mapping(MAPPINGS / f"{name}.toml").name == name


def test_a_mapping_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingInvalid, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")


def test_problems_are_told_with_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[columns]\n")

    with pytest.raises(MappingInvalid, match=r"^mine\.toml") as refused:
        load_mapping(tmp_path / "mine.toml")

    assert refused.value.facts["problems"] == [
        "columns.call_id: say exactly one of from, first_of, constant.",
        "columns.started_at: say exactly one of from, first_of, constant.",
    ]
