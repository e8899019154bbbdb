from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from supportapi.api.counters import Counters


def test_the_text_is_what_prometheus_reads() -> None:
    counters = Counters()
    counters.series("/api/metrics", 200, "rollup", "hot").observe(0.0004)
    counters.series("/api/metrics", 200, "rollup", "hot").observe(99)
    counters.series('/a"b', 404, "", "cold").observe(0.02)

    exposition = counters.exposition({"g": ("A gauge.", 2)}, {("build", "AUDIT_FAILED"): 3})

    families = {family.name: family for family in text_string_to_metric_families(exposition)}

    samples = families["supportapi_request_duration_seconds"].samples
    counts = {sample.labels["route"]: sample.value for sample in samples if sample.name.endswith("_count")}
    assert counts == {"/api/metrics": 2, '/a"b': 1}
    buckets = [s for s in samples if s.name.endswith("_bucket") and s.labels["route"] == "/api/metrics"]
    assert buckets[0].value == 1
    assert [bucket.value for bucket in buckets][-2:] == [1, 2]
    assert round(families["supportapi_hot_ratio"].samples[0].value, 3) == 0.667
    assert families["g"].samples[0].value == 2
    (attempts,) = families["supportapi_job_attempts"].samples
    assert (attempts.labels, attempts.value) == ({"kind": "build", "outcome": "AUDIT_FAILED"}, 3)
