from __future__ import annotations

import tomllib
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportapi.calls.mapping import read_mapping
from tests.calls.suggest.frames import columns, document

ROWS = 24
STARTS = [f"2024-05-06T{8 + k // 6:02d}:{k * 7 % 60:02d}:{k * 11 % 60:02d}Z" for k in range(ROWS)]
IDS = [f"c{k}" for k in range(ROWS)]


def cycle(*values: str | None) -> list[str | None]:
    return [values[k % len(values)] for k in range(ROWS)]


def numbers(first: int, step: int) -> list[str]:
    return [str(first + k * step % 97) for k in range(ROWS)]


@pytest.mark.parametrize(
    ("header", "values", "expected"),
    [
        ("Talk_time_(min)", cycle("2.5", "3", "1.25"), {"unit": "minutes"}),
        ("Talk_time_ms", cycle("95000", "120500"), {"unit": "milliseconds"}),
        ("Talk_time", cycle("PT2M3S", "PT1H"), {"unit": "iso8601"}),
        ("Talk_time", cycle("2:23", "12:05"), {"unit": "m:ss"}),
        ("Talk_time", cycle("0:02:23", "1:12:05"), {"unit": "h:mm:ss"}),
        ("Talk_time", cycle("2:23", "1:12:05", "12:05"), {"unit": ["h:mm:ss", "m:ss"]}),
        ("Talk_time", cycle("5m 3s", "40s", "1h 2min"), {"unit": "words"}),
        ("Gesprächsdauer_(Min)", cycle("2,5", "1.003,25"), {"unit": "minutes", "decimal": ","}),
        ("Talk_seconds", cycle("95", "N/A", "120"), {"null_words": "N/A"}),
    ],
)
def test_units_are_told_from_headers_and_shapes(header: str, values: list[str], expected: dict[str, Any]) -> None:
    found = columns(call_id=IDS, start=STARTS, **{header: values})

    assert found["duration_seconds"] == {"from": header.replace("_", " "), **expected}


def test_a_few_values_that_are_no_lengths_cost_no_row() -> None:
    talks = [*cycle("0:02:23", "0:12:05")[1:], "long"]

    found = columns(call_id=IDS, start=STARTS, talk=talks)

    assert found["duration_seconds"] == {"from": "talk", "unreadable": "null", "unit": "h:mm:ss"}


def test_a_unit_is_told_from_the_time_between_start_and_end() -> None:
    ends = [f"{start[:11]}{int(start[11:13]) + 1:02d}{start[13:]}" for start in STARTS]

    found = columns(call_id=IDS, start=STARTS, end=ends, duration=["60"] * ROWS)

    assert found["duration_seconds"] == {"from": "duration", "unit": "minutes"}


def test_a_length_without_a_unit_that_is_unlikely_in_any_stays_out() -> None:
    assert "duration_seconds" not in columns(call_id=IDS, start=STARTS, talk=cycle("5", "7"))


def test_a_length_without_a_unit_that_would_be_hours_is_asked_about_as_milliseconds() -> None:
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, "queue time": cycle("95000", "120500")})

    suggested = document(frame)

    assert tomllib.loads(suggested)["columns"]["wait_seconds"] == {"from": "queue time", "unit": "milliseconds"}
    assert "DECIDE: is the unit milliseconds? Nothing says so;" in suggested


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (cycle("1,364", "748", "95"), {"thousands": ","}),
        (cycle("1.364", "748", "95"), {"decimal": ","}),
        (cycle("12,5", "748", "1,364"), {"decimal": ","}),
        (cycle("0,364", "748", "95"), {"decimal": ","}),
    ],
    ids=["commas group", "dots group", "commas begin decimals", "nothing begins with a 0"],
)
def test_signs_before_three_digits_everywhere_group_them(values: list[str], expected: dict[str, str]) -> None:
    assert columns(call_id=IDS, start=STARTS, talk_secs=values)["duration_seconds"] == {"from": "talk secs", **expected}


def test_numbers_that_the_file_knows_as_numbers_have_no_groups() -> None:
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, "talk secs": [101.364, 95.0] * (ROWS // 2)})

    assert tomllib.loads(document(frame))["columns"]["duration_seconds"] == "talk secs"


def test_fractions_that_are_sixtieths_are_of_minutes() -> None:
    found = columns(call_id=IDS, start=STARTS, ringing=cycle("1.716667", "0.466667", "3.0", "2.983333"))

    assert found["wait_seconds"] == {"from": "ringing", "unit": "minutes"}


def test_fractions_of_seconds_are_not_taken_for_minutes() -> None:
    found = columns(call_id=IDS, start=STARTS, ringing=cycle("31.113", "20.497", "33.021", "12.959"))

    assert found["wait_seconds"] == "ringing"


def test_a_column_that_is_unique_names_a_call_before_its_start_does() -> None:
    starts = [f"2024-05-06T10:00:{k % 60:02d}Z" for k in range(50)]
    found = columns(opened=starts, booking=[f"b{k}" for k in range(50)])

    assert found["call_id"] == "booking"


def test_an_instant_that_is_0_did_not_come() -> None:
    begun = [1_714_980_000 + 600 * k for k in range(ROWS)]
    picked = [str(start + 20) if k % 4 else "0" for k, start in enumerate(begun)]
    ended = [str(start + 90) for start in begun]

    found = columns(
        call_id=IDS, date_time_origination=[str(start) for start in begun], date_time_connect=picked, end_time=ended
    )

    assert found["answered"] == {"when": {"column": "date time connect", "is_not": "0"}}
    assert found["wait_seconds"]["between"][1] == {"from": "date time connect", "null_words": "0"}


def test_what_all_nested_fields_begin_with_says_nothing_of_them() -> None:
    frame = pl.DataFrame({
        "_id": IDS, "_source.start": STARTS, "_source.tags": cycle("a", "b"), "_source.queue_ms": cycle("9000", "3100"),
    })  # fmt: skip

    found = tomllib.loads(document(frame))["columns"]

    assert (found["wait_seconds"], "channel" in found) == ({"from": "_source.queue_ms", "unit": "milliseconds"}, False)


@pytest.mark.parametrize(
    ("header", "values", "column"),
    [
        ("Type", cycle("Voice", "Fax"), "channel"),
        ("Case Owner", cycle("Ann Lee", "Ben Roy"), "agent_name"),
        ("Contact Disp.", cycle("Handled", "Abandoned"), "answered"),
        ("Valoración", cycle("1", "5", "3"), "rating"),
        ("secs", cycle("195", "120"), "duration_seconds"),
        ("AGT_NM", cycle("Ann Lee", "Ben Roy"), "agent_name"),
        ("ABN_FLG", cycle("0", "1"), "answered"),
        ("Statut", cycle("Décroché", "Perdu"), "answered"),
    ],
)
def test_headers_of_real_systems_are_understood(header: str, values: list[str], column: str) -> None:
    assert column in columns(call_id=IDS, start=STARTS, **{header: values})


@pytest.mark.parametrize(
    ("header", "values", "column"),
    [
        ("missed call reason", cycle("abandoned_in_ivr", "short_abandoned"), "issue_type"),
        ("AWS Account Id", cycle("123412341234"), "customer_id"),
        ("Type", cycle("Voice", "Fax"), "issue_type"),
    ],
    ids=["why nobody answered", "one customer for all", "how they rang"],
)
def test_what_only_sounds_like_it_stays_out(header: str, values: list[str], column: str) -> None:
    assert column not in columns(call_id=IDS, start=STARTS, **{header: values})


@pytest.mark.parametrize("header", ["handle time (sec)", "hold seconds", "after call work (s)", "total time sec"])
def test_handling_holding_and_wrapping_up_are_no_talk_time(header: str) -> None:
    found = columns(call_id=IDS, start=STARTS, **{header: numbers(60, 7)})

    assert {"duration_seconds", "wait_seconds"} & set(found) == set()


def test_a_duration_that_counts_the_waiting_stays_out() -> None:
    ends = [f"{start[:17]}59Z" for start in STARTS]
    whole = [str(59 - int(start[17:19])) for start in STARTS]

    found = columns(call_id=IDS, start=STARTS, end=ends, wait_sec=numbers(1, 1), duration_sec=whole)

    assert (found["wait_seconds"], "duration_seconds" in found) == ("wait sec", False)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (cycle("1", "5", "3"), "csat"),
        (cycle("1", "10", "3"), {"from": "csat", "rating_scale": {"from": [1, 10], "to": [1, 5], "rule": "ceil(x/2)"}}),
        (cycle("0", "10", "3"), {"from": "csat", "rating_scale": {"from": [0, 10], "to": [1, 5], "rule": "linear"}}),
        (cycle("0", "80", "100"), {"from": "csat", "rating_scale": {"from": [0, 100], "to": [1, 5], "rule": "linear"}}),
        (cycle("1", "4.5", "5"), {"from": "csat", "rating_scale": {"from": [1, 5], "to": [1, 5], "rule": "linear"}}),
    ],
)
def test_scales_are_found_with_a_rule(values: list[str], expected: object) -> None:
    assert columns(call_id=IDS, start=STARTS, csat=values)["rating"] == expected


@pytest.mark.parametrize(
    ("header", "values"),
    [("NPS", cycle("9", "10", "0")), ("sentiment score", cycle("1", "5")), ("csat", cycle("good", "purple"))],
)
def test_what_is_no_rating_of_a_call_stays_out(header: str, values: list[str]) -> None:
    assert "rating" not in columns(call_id=IDS, start=STARTS, **{header: values})


@pytest.mark.parametrize(
    ("header", "values", "expected"),
    [
        ("Abandoned", cycle("Y", "N"), {"true_words": "N", "false_words": "Y"}),
        ("Outcome", cycle("Handled", "Abandoned"), {"true_words": "Handled", "false_words": "Abandoned"}),
        (
            "Result",
            cycle("Answered", "Answered", "No Answer", "Voicemail"),
            {"true_words": "Answered", "false_words": "No Answer", "other": "null"},
        ),
        ("Beantwortet", cycle("Ja", "Nein"), {"true_words": "Ja", "false_words": "Nein"}),
    ],
)
def test_words_for_answered_are_found(header: str, values: list[str], expected: dict[str, Any]) -> None:
    assert columns(call_id=IDS, start=STARTS, **{header: values})["answered"] == {"from": header, **expected}


def test_words_that_may_mean_either_are_asked_for() -> None:
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, "result": cycle("answered", "missed", "voicemail")})

    assert "# DECIDE: answered or not? voicemail (8): unknown (null) as it stands." in document(frame)


def test_a_rating_in_words_is_taken_by_their_meaning_and_asked_about() -> None:
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, "Zufriedenheit": cycle("Sehr gut", "gut", "schlecht")})

    suggested = document(frame)

    words = {"Sehr gut": 5, "gut": 4, "schlecht": 2}
    assert tomllib.loads(suggested)["columns"]["rating"] == {"from": "Zufriedenheit", "words": words}
    assert "# DECIDE: is that what the words mean, 5 being best? Sehr gut = 5, gut = 4, schlecht = 2." in suggested


@pytest.mark.parametrize(
    ("worst", "asked"), [(6, "is 1 the best grade, and 6 the worst?"), (5, "is 5 the worst grade?")]
)
def test_a_schools_grade_is_best_when_it_is_1_and_asked_about(worst: int, asked: str) -> None:
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, "Schulnote": cycle("1", "2", str(worst))})

    suggested = document(frame)

    scale = {"from": [worst, 1], "to": [1, 5], "rule": "linear"}
    assert tomllib.loads(suggested)["columns"]["rating"] == {"from": "Schulnote", "rating_scale": scale}
    assert f"# DECIDE: {asked}" in suggested


def test_a_note_up_to_5_is_asked_about_and_not_turned_round() -> None:
    found = columns(call_id=IDS, start=STARTS, note=cycle("1", "2", "5"))

    assert found["rating"] == "note"


def test_names_of_months_that_cannot_be_read_are_said_to_be_the_reason() -> None:
    frame = pl.DataFrame({"call id": IDS, "Beginn": cycle("6. Mai 2024 10:00", "7. März 2024 11:30")})

    assert "of which only English ones can be read: export numbers." in document(frame).replace("\n#   ", " ")


def test_a_zero_that_piles_up_among_ids_is_nobody() -> None:
    customers = ["0" if k % 2 else str(700 + k) for k in range(ROWS)]

    found = columns(call_id=IDS, start=STARTS, customer_id=customers)

    assert found["customer_id"] == {"from": "customer id", "null_words": "0"}


def test_agents_ids_and_names_are_told_apart_and_compared() -> None:
    frame = pl.DataFrame(
        {"call id": IDS, "start": STARTS, "agent no": cycle("7", "8", "9"), "agent": cycle("Ann", "Ben", "Ann")}
    )

    found = document(frame)

    assert 'agent_id = "agent no"\n' in found
    assert 'agent_name = "agent"\n' in found
    assert "do not belong together one to one." in found.replace("\n# ", " ")


@pytest.mark.parametrize(
    ("nobody", "offered"),
    [
        (None, '# region = { first_of = ["region", "state"] }'),
        ("N/A", 'null_words = "N/A"\n# first_of = ["region", "state"]'),
    ],
)
def test_a_column_that_fills_what_another_leaves_open_is_offered(nobody: str | None, offered: str) -> None:
    regions = {"region": cycle("North", nobody), "state": cycle("East", "South")}

    suggested = document(pl.DataFrame({"call id": IDS, "start": STARTS, **regions}))

    assert "which fills 12 of the rows that this one leaves open:" in suggested.replace("\n# ", " ")
    assert offered in suggested
    assert read_mapping(suggested).columns.region is not None


def test_the_smallest_unique_combination_is_the_key() -> None:
    found = columns(line=cycle("A", "B"), call_id=[str(k // 2) for k in range(ROWS)], start=STARTS)

    assert found["call_id"] == ["line", "call id"]


def test_rows_that_repeat_another_do_not_keep_columns_from_being_the_key() -> None:
    frame = pl.DataFrame({"date": [start[:10] for start in STARTS], "time": [start[11:19] for start in STARTS]})

    suggested = document(pl.concat([frame, frame.head(2)]))

    assert tomllib.loads(suggested)["columns"]["call_id"] == "time"
    assert "2 rows repeat another in every column: of duplicates the first stays." in suggested.replace("\n# ", " ")


def test_a_clock_without_its_date_names_no_call() -> None:
    days = [f"2024-05-{k + 1:02d}" for k in range(ROWS)]

    found = columns(date=days, time=[start[11:19] for start in STARTS], agent=cycle("Ann", "Ben"))

    assert found["call_id"] == ["date", "time"]


def test_a_log_of_one_day_has_its_date_and_the_exports_instant_is_none_of_its() -> None:
    clocks = [start[11:19] for start in STARTS]

    found = columns(call_id=IDS, timestamp=["2024-05-07 01:00:09"] * ROWS, date=["13.05.2024"] * ROWS, time=clocks)

    assert found["started_at"] == {"from": ["date", "time"], "formats": "%d.%m.%Y %H:%M:%S"}


def test_repeated_rows_are_counted_as_duplicates() -> None:
    ids = [*(f"c{k}" for k in range(ROWS - 1)), "c0"]
    frame = pl.DataFrame({"call id": ids, "start": [*STARTS[:-1], STARTS[0]]})

    assert "1 rows repeat an earlier id, 1 of them in every column: of duplicates the first stays." in document(frame)


@pytest.mark.parametrize("header", ["Last Updated", "modified_at", "Letzte Änderung", "Actualizado"])
@pytest.mark.parametrize("versions", [1, ROWS // 2])
def test_of_rows_that_were_written_again_the_newest_stays(header: str, versions: int) -> None:
    written = [f"{k + 1:02d}.05.2024 12:00" for k in range(ROWS)]
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, header: written})
    newer = frame.head(versions).with_columns(pl.lit("29.06.2024 09:30").alias(header))

    suggested = document(pl.concat([frame, newer]))

    assert tomllib.loads(suggested)["duplicates"] == {
        "keep": "last",
        "order": {"from": header, "formats": "%d.%m.%Y %H:%M", "time_zone": "UTC"},
    }
    assert f'# {versions} ids of "call id" stand in several rows that differ' in suggested
    assert "DECIDE: are" not in suggested


def test_an_update_that_does_not_differ_explains_no_repeated_id() -> None:
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, "agent": cycle("Ann", "Ben"), "updated": STARTS})
    other = frame.head(1).with_columns(pl.lit("Cat").alias("agent"))

    suggested = document(pl.concat([frame, other]))

    assert "duplicates" not in tomllib.loads(suggested)
    assert '# DECIDE: are the 1 others duplicates too? To keep the last row: [duplicates] keep = "last".' in suggested


def test_the_rows_of_an_event_log_become_one_call() -> None:
    ids = [f"c{k // 3}" for k in range(ROWS)]
    frame = pl.DataFrame({"call id": ids, "time": STARTS, "event": cycle("ENTER", "CONNECT", "COMPLETE")})

    suggested = tomllib.loads(document(frame))

    def at(event: str) -> dict[str, Any]:
        return {"from": "time", "only_when": {"column": "event", "is": event}}

    assert suggested["fold"] == {"order": "time"}
    assert suggested["columns"] == {
        "call_id": "call id",
        "started_at": at("ENTER"),
        "ended_at": at("COMPLETE"),
        "wait_seconds": {"between": [at("ENTER"), at("CONNECT")]},
        "duration_seconds": {"between": [at("CONNECT"), at("COMPLETE")]},
        "answered": {"when": {"column": "event", "is": "CONNECT"}},
    }


def test_what_events_mean_is_asked_with_those_that_are_not_used() -> None:
    ids = [f"c{k // 4}" for k in range(ROWS)]
    events = cycle("Queued", "Ring", "Abandoned", "Note")
    frame = pl.DataFrame({"call id": ids, "time": STARTS, "event": events})

    told = document(frame).replace("\n# ", " ")

    assert "given up with Abandoned, ends with nothing, not used Note, Ring." in told


def test_numbered_legs_of_a_call_are_folded() -> None:
    ids = [f"c{k // 2}" for k in range(ROWS)]
    frame = pl.DataFrame({"call id": ids, "leg": cycle("1", "2"), "start": STARTS, "talk sec": numbers(9, 4)})

    suggested = document(frame)

    assert tomllib.loads(suggested)["fold"] == {"key": "call_id"}
    assert 'write call_id = ["call id", "leg"].' in suggested.replace("\n# ", " ")


def test_waits_and_talks_that_no_column_measures_lie_between_instants() -> None:
    answers = [f"{start[:17]}30Z" if int(start[17:19]) < 30 else None for start in STARTS]
    ends = [f"{start[:17]}59Z" for start in STARTS]

    found = columns(call_id=IDS, start=STARTS, answered_at=answers, end=ends)

    assert found["wait_seconds"] == {"between": ["start", "answered at"]}
    assert found["duration_seconds"] == {"between": ["answered at", "end"]}
    assert found["answered"] == {"when": {"column": "answered at", "present": True}}


def test_zones_row_by_row_are_the_zones_of_the_clock() -> None:
    clocks = [start.rstrip("Z") for start in STARTS]
    frame = pl.DataFrame({"call id": IDS, "start": clocks, "tz": cycle("Europe/Berlin", "America/New_York")})

    suggested = tomllib.loads(document(frame))

    words = {"America/New_York": "America/New_York", "Europe/Berlin": "Europe/Berlin"}
    assert suggested["time_zone"] == {"from": "tz", "words": words}


def test_abbreviations_of_zones_get_their_offsets_and_doubtful_ones_a_question() -> None:
    starts = [f"{start[:19].replace('T', ' ')} {('CST', 'CDT')[k % 2]}" for k, start in enumerate(STARTS)]
    frame = pl.DataFrame({"call id": IDS, "start": starts})

    suggested = document(frame)

    assert tomllib.loads(suggested)["columns"]["started_at"] == {
        "from": "start", "formats": "%Y-%m-%d %H:%M:%S %z", "offsets": {"CDT": "-05:00", "CST": "-06:00"},
    }  # fmt: skip
    assert "time_zone" not in tomllib.loads(suggested)
    assert "# DECIDE: is CST -06:00? It may be China's time too: then mend offsets." in suggested


def test_rows_that_may_be_no_calls_get_a_filter_as_a_comment() -> None:
    frame = pl.DataFrame({"call id": IDS, "start": STARTS, "queue": cycle("Care", "Test", "Sales")})

    suggested = document(frame)

    assert '# [[filters]]\n# column = "queue"\n# is_not = "Test"\n' in suggested
    assert "filters" not in tomllib.loads(suggested)


def test_without_a_start_the_mapping_is_refused_until_a_person_names_one() -> None:
    frame = pl.DataFrame({"call id": IDS, "agent": cycle("Ann", "Ben")})

    assert "# DECIDE: when did a call start? No column tells an instant.\n# started_at" in document(frame)


def test_dates_that_other_columns_settle_are_settled() -> None:
    created = cycle("01/02/2024 10:00", "02/03/2024 11:00")

    found = columns(call_id=IDS, created=created, closed=cycle("01/02/2024 12:00", "25/03/2024 11:30"))

    assert found["started_at"] == {"from": "created", "formats": "%d/%m/%Y %H:%M"}


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Customer name", ["Pat Doe", "Kim Roe"]),
        ("Caller", ["Pat Doe", "Kim Roe"]),
        ("Contact", ["pat@example.com", "kim@example.com"]),
        ("Remote", ["+49 30 1234567", "+49 30 7654321"]),
        ("ANI", ["493012345", "493076543"]),
        ("Notes", ["rang twice", "was angry"]),
    ],
)
def test_personal_columns_stay_out_and_show_nothing(header: str, values: list[str]) -> None:
    found = document(pl.DataFrame({"call id": ["1", "2"], "start": STARTS[:2], header: values}))

    assert f'# - "{header}": ' in found
    assert "personal." in found
    assert values[0] not in found


def test_an_agents_name_is_no_customers_name() -> None:
    assert columns(call_id=IDS, start=STARTS, Agent_name=cycle("Ann Lee", "Ben Roy"))["agent_name"] == "Agent name"


HEADERS = st.sampled_from([
    "call id", "id", "Date", "Time", "start", "End Time", "agent", "Agent ID", "talk time", "Wait (sec)", "duration",
    "Status", "answered", "resolved", "CSAT", "region", "channel", "topic", "customer", "phone", "e-mail",
    'odd "header"', "tab\there", "Dauer (Min.)", "line\nbreak", "#", "ключ", "calls", "q_time", "back\\slash",
])  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.sampled_from(
        ["N/A", "-", "0", "yes", "no", "answered", "missed", "resolved", "Ann", "0:02:23", "2:23", 'a "b"']
    ),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.strftime("%d/%m/%Y %H:%M")),
    st.integers(-5, 2_000_000_000).map(str),
    st.text(max_size=12),
)
FRAMES = st.lists(HEADERS, min_size=1, max_size=7, unique=True).flatmap(
    lambda headers: st.lists(st.tuples(*[VALUES] * len(headers)), min_size=1, max_size=12).map(
        lambda rows: pl.DataFrame(rows, schema=dict.fromkeys(headers, pl.String), orient="row")
    )
)


@settings(deadline=None, max_examples=150)
@given(FRAMES)
def test_every_settled_suggestion_is_a_mapping_of_columns_of_the_file(frame: pl.DataFrame) -> None:
    suggested = document(frame)
    settled = (
        suggested.replace('time_zone = "DECIDE"', 'time_zone = "UTC"')
        .replace('formats = "DECIDE"', 'formats = "%d/%m/%Y %H:%M"')
        .replace('# call_id = ""', 'call_id = { constant = "1" }')
        .replace('# started_at = ""', 'started_at = { constant = "2024-05-06" }')
    )

    mapping = read_mapping(settled)

    named = {source for column in mapping.columns.given().values() for source in column.sources}
    assert named <= set(frame.columns)
    assert tomllib.loads(suggested)["name"] == "calls"
