"""The grammar of keys, and the names of versions."""

from __future__ import annotations

from supportapi.snapshots import keys

_HASH = "ab" * 32


def test_a_version_is_sixteen_hexadecimal_digits() -> None:
    version = keys.version_of(_HASH, keys.shape_of(("UTC",), 512))

    assert len(version) == 16
    assert int(version, 16) >= 0


def test_the_same_dataset_and_settings_always_have_the_same_version() -> None:
    shape = {"zones": ["UTC"], "rollup_budget_mb": 512}
    other_order = {"rollup_budget_mb": 512, "zones": ["UTC"]}

    assert keys.version_of(_HASH, shape) == keys.version_of(_HASH, other_order)


def test_another_dataset_or_zone_or_order_of_zones_or_budget_is_another_version() -> None:
    versions = {
        keys.version_of(_HASH, keys.shape_of(("UTC",), 512)),
        keys.version_of("cd" * 32, keys.shape_of(("UTC",), 512)),
        keys.version_of(_HASH, keys.shape_of(("UTC", "Europe/Berlin"), 512)),
        keys.version_of(_HASH, keys.shape_of(("Europe/Berlin", "UTC"), 512)),
        keys.version_of(_HASH, keys.shape_of(("UTC",), 256)),
    }

    assert len(versions) == 5


def test_every_key_carries_the_one_hash_tag() -> None:
    spelled = [
        keys.CURRENT, keys.SEQUENCE, keys.HISTORY, keys.EVENTS, keys.MANIFEST, keys.JOBS, keys.OUTCOMES,
        keys.index_key("v"), keys.staged_index_key("v", 1), keys.part_key("v", 1, "card"),
        keys.state_key(1, ("UTC",), _HASH), keys.job_key("j"), keys.latest_key("v"), keys.worker_key("w"),
    ]  # fmt: skip

    assert [key for key in spelled if not key.startswith("{sapi}:")] == []
    assert len(set(spelled)) == len(spelled)


def test_a_partial_state_belongs_to_the_zones_it_was_made_for() -> None:
    assert keys.state_key(1, ("UTC",), _HASH) != keys.state_key(1, ("Europe/Berlin",), _HASH)
    assert keys.state_key(1, ("UTC",), _HASH) != keys.state_key(2, ("UTC",), _HASH)
