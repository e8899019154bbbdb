from __future__ import annotations

import json
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter  # pyright: ignore[reportMissingTypeStubs] - it has none

from supportapi.calls.mapping import read_mapping
from supportapi.dataset.ingest import ingest
from supportapi.dataset.look import SAMPLE_ROWS, look
from supportapi.errors import MappingInvalid, NotCalls
from tests.dataset.exports import AMBIGUOUS, EXPORTS, GERMAN, Export
from tests.dataset.tongues import COLUMNS, HEADERS, export
from tests.datasets import MAPPINGS, shared

if TYPE_CHECKING:
    from pathlib import Path

ALL = pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.file)
SETS = {
    "call_center.csv": ("pwc-call-centre", "UTC"),
    "01 Call-Center-Dataset.xlsx": ("pwc-call-centre", "UTC"),
    "Call Center.csv": ("rwfd-call-center", "UTC"),
    "Call Center.csv.zip": ("rwfd-call-center", "UTC"),
    "data_anonymous_bank_february.txt": ("anonymous-bank-1999-02", "Asia/Jerusalem"),
}
OPERATORS = "Date,Operator,Calls answered,AHT\n" + "".join(
    f"2024-05-{day:02d},{name},{day * 3},00:03:{day:02d}\n" for day in range(1, 29) for name in ("Ann", "Ben")
)
DAYS = (
    "Index,Incoming Calls,Answered Calls,Answer Rate,Abandoned Calls,Answer Speed (AVG),Talk Duration (AVG),"
    "Waiting Time (AVG),Service Level (20 Seconds)\n"
) + "".join(f"{k},{200 + k},{190 + k},95.{k:02d}%,10,0:00:17,0:02:14,0:02:45,76.28%\n" for k in range(1, 41))
HOURS = "Interval;Queue;Offered;Abandoned;Service level %\n" + "".join(
    f"2024-05-06 {hour:02d}:00;{queue};{hour + 4};{hour % 3};8{hour % 10},5\n"
    for hour in range(8, 20)
    for queue in ("Care", "Sales")
)
GERMAN_MONTHS = "Monat;Anzahl Anrufe;Verlorene Anrufe;Erreichbarkeit %\n" + "".join(
    f"2024-{month:02d};{1000 + month};{month * 9};9{month % 10},1\n" for month in range(1, 13)
)
COUNTS = pytest.mark.parametrize(
    "text", [OPERATORS, DAYS, HOURS, GERMAN_MONTHS], ids=["operator and day", "day", "hour and queue", "month"]
)


def written(tmp_path: Path, export: Export) -> Path:
    file = tmp_path / export.file
    file.write_bytes(export.text.encode(export.encoding))
    return file


def settled(document: str, zone: str = "Europe/Berlin", formats: str = "%m/%d/%Y %H:%M:%S") -> str:
    """The suggestion as a person leaves it behind."""
    zoned = document.replace('time_zone = "DECIDE"', f'time_zone = "{zone}"')
    return zoned.replace('formats = "DECIDE"', f'formats = "{formats}"')


def mapping_of(document: str) -> dict[str, Any]:
    return {field: value for field, value in tomllib.loads(document).items() if field != "name"}


def asked_in(summary: str) -> tuple[str, ...]:
    return tuple(line[4:].split(":")[0] for line in summary.splitlines() if line.startswith("  - "))


@ALL
def test_an_export_is_mapped_as_a_careful_person_would(tmp_path: Path, export: Export) -> None:
    found = look(written(tmp_path, export))

    assert mapping_of(found.document) == export.mapping


@ALL
def test_what_is_left_to_decide_is_told(tmp_path: Path, export: Export) -> None:
    found = look(written(tmp_path, export))

    assert asked_in(found.summary) == export.to_decide
    assert found.document.count("# DECIDE: ") == len(export.to_decide)


@ALL
def test_a_settled_suggestion_ingests_every_row(tmp_path: Path, export: Export) -> None:
    file = written(tmp_path, export)
    (tmp_path / "mapping.toml").write_text(settled(look(file).document), encoding="utf-8")

    report = ingest([file], tmp_path / "mapping.toml", tmp_path / "out")

    assert (report.read, report.written) == (40, 40)


@ALL
def test_every_source_column_is_mapped_or_left_out_with_a_reason(tmp_path: Path, export: Export) -> None:
    file = written(tmp_path, export)
    document = look(file).document
    left = {line[5:].split('": ')[0] for line in document.splitlines() if line.startswith('# - "')}

    mapped = {source for _, source in read_mapping(settled(document)).sources()}

    assert mapped & left == set()
    assert mapped | left == set(columns_of(file, export))


def columns_of(file: Path, export: Export) -> list[str]:
    if file.suffix == ".json":
        return pl.read_json(file).columns
    if file.suffix == ".ndjson":
        frame = pl.read_ndjson(file)
        return frame.unnest("Queue", "Agent", "CustomerEndpoint", separator=".").columns
    header = 4 if export is AMBIGUOUS else 1
    delimiter = ";" if export.text.splitlines()[header - 1].count(";") else ","
    return pl.read_csv(
        export.text.encode(), separator=delimiter, skip_lines=header - 1, infer_schema=False
    ).columns  # fmt: skip


@pytest.mark.parametrize("tongue", HEADERS)
def test_headers_are_understood_in_several_languages(tmp_path: Path, tongue: str) -> None:
    (tmp_path / "calls.csv").write_text(export(tongue), encoding="utf-8")
    expected = dict(zip(COLUMNS, HEADERS[tongue].split(";"), strict=False))

    document = look(tmp_path / "calls.csv").document
    (tmp_path / "mapping.toml").write_text(settled(document), encoding="utf-8")
    report = ingest([tmp_path / "calls.csv"], tmp_path / "mapping.toml", tmp_path / "out")

    mapping = read_mapping(settled(document))
    assert {name: column.sources[0] for name, column in mapping.columns.given().items()} == expected
    assert document.count(": personal.") == 2
    assert (report.written, report.altered_by_reason) == (40, {"duration_zero": 8})


@pytest.mark.parametrize("file", SETS)
def test_the_public_sets_become_the_calls_that_our_own_mappings_make(tmp_path: Path, file: str) -> None:
    name, zone = SETS[file]
    (tmp_path / "mapping.toml").write_text(settled(look(shared(name) / file).document, zone))

    ours = ingest([shared(name) / file], MAPPINGS / f"{name}.toml", tmp_path / "ours")
    found = ingest([shared(name) / file], tmp_path / "mapping.toml", tmp_path / "found")

    # Where our mapping adds up the end of a call, a suggestion offers that line and leaves it to a person.
    ends = ["ended_at"] if name == "pwc-call-centre" else []
    assert calls(tmp_path / "found", ends).equals(calls(tmp_path / "ours", ends))
    assert (found.written, found.rejected, found.altered_by_reason) == (ours.written, 0, ours.altered_by_reason)


def calls(folder: Path, without: list[str]) -> pl.DataFrame:
    return pl.read_parquet(folder / "cleaned_calls.parquet").drop(without)


def test_the_offered_end_of_a_call_can_be_taken_as_it_stands(tmp_path: Path) -> None:
    file = shared("pwc-call-centre") / "call_center.csv"
    document = settled(look(file).document, "UTC").replace("# ended_at = ", "ended_at = ")
    (tmp_path / "mapping.toml").write_text(document)

    found = ingest([file], tmp_path / "mapping.toml", tmp_path / "found")
    ours = ingest([file], MAPPINGS / "pwc-call-centre.toml", tmp_path / "ours")

    assert found.dataset_hash == ours.dataset_hash


def test_naive_times_are_refused_until_somebody_says_their_zone(tmp_path: Path) -> None:
    with pytest.raises(MappingInvalid, match="'DECIDE' is no IANA time zone"):
        read_mapping(look(written(tmp_path, GERMAN)).document)


def test_days_that_may_be_months_are_refused_until_somebody_says_which(tmp_path: Path) -> None:
    document = look(written(tmp_path, AMBIGUOUS)).document

    with pytest.raises(MappingInvalid, match="'DECIDE' is no format"):
        read_mapping(document.replace('time_zone = "DECIDE"', 'time_zone = "UTC"'))
    offered = '# formats = "%d/%m/%Y %H:%M:%S"\n# formats = "%m/%d/%Y %H:%M:%S"\n'
    assert f'# Replace DECIDE by one of:\n{offered}formats = "DECIDE"' in document


def test_personal_values_are_never_shown(tmp_path: Path) -> None:
    found = look(written(tmp_path, GERMAN))

    assert '# - "Kundenname": a person\'s name: personal.' in found.document
    assert "Müller" not in found.document


def test_what_the_reader_assumed_is_said_and_not_declared_again(tmp_path: Path) -> None:
    found = look(written(tmp_path, GERMAN))

    assert "# Read as cp1252; say read.encoding if letters look wrong\n# Delimiter semicolon\n" in found.document
    assert "\n  delimiter semicolon\n" in found.summary
    assert "[read]" not in found.document


def test_a_long_file_is_looked_at_in_three_places(tmp_path: Path) -> None:
    rows = "".join(
        f"c{k},{'01' if k < 110_000 else '29'}/05/2024 10:{k % 60:02d}:{k % 59:02d}\n" for k in range(120_000)
    )
    (tmp_path / "long.csv").write_text(f"call id,start\n{rows}")

    found = look(tmp_path / "long.csv")

    assert f"looking at {SAMPLE_ROWS // 3 * 3:,} of 120,000 rows" in found.document
    assert mapping_of(found.document)["columns"]["started_at"]["formats"] == "%d/%m/%Y %H:%M:%S"


def workbook(path: Path) -> Path:
    with xlsxwriter.Workbook(path) as book:
        moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"})
        length = book.add_format({"num_format": "[h]:mm:ss"})
        book.add_worksheet("Read me").write(0, 0, "An export of May.")
        sheet = book.add_worksheet("Calls")
        sheet.write(0, 0, "Call report")
        sheet.write(1, 0, "May 2024")
        sheet.write_row(3, 0, ["Call No", "Start", "Wait", "Talk", "Advisor", "Site"])
        for k in range(20):
            sheet.write_row(4 + k, 0, [1000 + k])
            sheet.write_number(4 + k, 1, 45418.375 + k / 100, moment)
            sheet.write_number(4 + k, 2, (k + 5) / 86_400, length)
            sheet.write_number(4 + k, 3, (k * 31 + 60) / 86_400, length)
            sheet.write_row(4 + k, 4, ["Ann" if k % 2 else "Ben", "North" if k % 3 else "South"])
        book.add_worksheet("Legend")
    return path


def test_a_workbook_with_a_preamble_and_several_sheets(tmp_path: Path) -> None:
    file = workbook(tmp_path / "report.xlsx")

    document = look(file).document
    (tmp_path / "mapping.toml").write_text(settled(document))
    report = ingest([file], tmp_path / "mapping.toml", tmp_path / "out")

    assert mapping_of(document) == {
        "time_zone": "DECIDE",
        "read": {"sheet": "Calls"},
        "columns": {
            "call_id": "Call No",
            "started_at": "Start",
            "wait_seconds": {"from": "Wait", "unit": "h:mm:ss"},
            "duration_seconds": {"from": "Talk", "unit": "h:mm:ss"},
            "agent_name": "Advisor",
            "region": "Site",
        },
    }
    assert "# Header in row 4\n" in document
    assert report.written == 20


def test_of_tables_side_by_side_the_largest_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "two.xlsx") as book:
        sheet = book.add_worksheet("Calls")
        sheet.write_row(0, 0, ["Call Id", "Start", None, "Agent", "Team"])
        sheet.write_row(1, 0, ["c1", "2024-05-06T10:00:00Z", None, "Ann", "Care"])
        sheet.write_row(2, 0, ["c2", "2024-05-06T11:00:00Z"])

    document = look(tmp_path / "two.xlsx").document

    assert mapping_of(document)["read"] == {"range": "A1:B"}
    assert '# The largest table is read; there are also "Calls" D1:E.' in document


def test_files_of_an_archive_are_looked_at_together(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "year.zip", "w") as archive:
        archive.writestr("01.csv", "call id,start\nc1,2024-01-06T10:00:00Z\n")
        archive.writestr("02.csv", "call id,start\nc2,2024-02-06T10:00:00Z\n")
        archive.writestr("agents.csv", "agent,name\na1,Ann\n")

    found = look(tmp_path / "year.zip")

    assert "looking at all 2 rows" in found.document
    assert 'Other columns than the first file have "year.zip/agents.csv": not looked at.' in found.summary


def test_of_several_lists_of_records_the_longest_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    calls = [{"call id": f"c{k}", "start": f"2024-05-06T10:00:{k:02d}Z"} for k in range(5)]
    (tmp_path / "export.json").write_text(json.dumps({"agents": [{"name": "Ann"}], "data": {"calls": calls}}))

    document = look(tmp_path / "export.json").document

    assert mapping_of(document)["read"] == {"records": "data.calls"}
    assert '# The longest list of records is read; there are also "agents".' in document


@COUNTS
def test_a_table_that_counts_calls_is_refused_with_what_is_needed(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.csv").write_text(text)

    with pytest.raises(NotCalls, match=r"count of calls.*one row for each call"):
        look(tmp_path / "report.csv")


@COUNTS
@pytest.mark.parametrize("declared", [True, False], ids=["with a mapping", "without"])
def test_ingest_refuses_a_table_that_counts_calls(tmp_path: Path, text: str, declared: bool) -> None:  # noqa: FBT001 - a value
    file = tmp_path / "report.csv"
    file.write_text(text)
    header = text.splitlines()[0].replace(";", ",").split(",")[0]
    mapping = read_mapping(f'[columns]\ncall_id = "{header}"\nstarted_at = "{header}"\n') if declared else None

    with pytest.raises(NotCalls, match="no column tells the instant"):
        ingest([file], mapping, tmp_path / "out")
    assert not (tmp_path / "out" / "manifest.json").exists()


@COUNTS
def test_whoever_knows_that_rows_are_calls_can_say_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.csv").write_text(text)
    header = text.splitlines()[0].replace(";", ",").split(",")[0]
    columns = f'[columns]\ncall_id = "{header}"\nstarted_at = {{ constant = "2024-05-06T10:00:00Z" }}\n'

    report = ingest([tmp_path / "report.csv"], read_mapping(f"rows_are_calls = true\n{columns}"), tmp_path / "out")

    assert report.read == len(text.splitlines()) - 1


def test_a_refused_table_is_told_how_it_could_be_ingested_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text(OPERATORS)

    with pytest.raises(NotCalls, match="say so: --rows-are-calls beside --suggest, rows_are_calls = true at the top"):
        look(tmp_path / "report.csv")


def test_dates_without_a_time_of_day_are_calls_all_the_same() -> None:
    found = look(shared("rwfd-call-center") / "Call Center.csv")

    assert 'from = "call_timestamp"' in found.document
