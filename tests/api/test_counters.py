from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from supportapi.api.counters import Counters


def test_the_text_is_what_prometheus_reads() -> None:
    counters = Counters()
    counters.series("/api/metrics", 200, "rollup", "hot").observe(0.0004)
    counters.series("/api/metrics", 200, "rollup", "hot").observe(99)
    counters.series('/a"b', 404, "", "cold").observe(0.02)

    [family] = text_string_to_metric_families(counters.exposition("7"))

    counts = {sample.labels["route"]: sample.value for sample in family.samples if sample.name.endswith("_count")}
    assert (family.name, counts) == ("supportapi_request_duration_seconds", {"/api/metrics": 2, '/a"b': 1})
    buckets = [s for s in family.samples if s.name.endswith("_bucket") and s.labels["route"] == "/api/metrics"]
    assert buckets[0].value == 1
    assert [bucket.value for bucket in buckets][-2:] == [1, 2]
    assert {sample.labels["process"] for sample in family.samples} == {"7"}
    assert round(counters.hot_ratio, 3) == 0.667


def test_nothing_asked_is_nothing_hot() -> None:
    assert Counters().hot_ratio == 0
