from __future__ import annotations

import asyncio
import io
import re
from typing import IO, TYPE_CHECKING, Any, get_args

import anyio
import msgspec
import polars as pl
import pytest

from supportapi.api import exports
from supportapi.api.calls_query import StoredField
from supportapi.api.download import Download, Downloads
from supportapi.api.trace import KEY, Trace
from supportapi.calls.record import COLUMNS, SCHEMA
from supportapi.calls.selection import Order, Selection
from supportapi.errors import ExportFailed, ExportTimedOut, ExportTooLarge
from supportapi.exports.write import write
from tests.api.world import serving, settle, some_calls

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from supportapi.api.download import Make
    from tests.api.world import Api, World

pytestmark = pytest.mark.anyio

READERS: dict[str, Callable[[Any], pl.DataFrame]] = {
    "csv": pl.read_csv,
    "ndjson": pl.read_ndjson,
    "parquet": pl.read_parquet,
    "arrow": pl.read_ipc,
    "xlsx": pl.read_excel,
}
QUERIES = [
    "range=all",
    "range=all&sort=started_at",
    "range=all&sort=-rating",
    "range=all&sort=duration&region=null,south",
    "range=all&sort=-rating,-wait",
    "range=all&sort=agent,-rating,started_at",
    "range=all&sort=-agent,-started_at",
    "range=all&weekday=0,5&hour=9,10&offered=standard",
    "range=7d&sort=agent&timezone=Europe/Berlin",
    "answered=false&min_wait=30",
    "q=nothing-of-the-kind",
]


async def all_pages(api: Api, query: str) -> list[dict[str, Any]]:
    body = (await api.get(f"/api/calls?{query}&per_page=200")).json()
    assert body["links"]["next"] is None
    return [{name: row[name] for name in COLUMNS} for row in body["data"]]


@pytest.mark.parametrize("query", QUERIES)
async def test_an_export_has_every_call_of_the_list_in_the_same_order(
    api: Api, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "SLICE_ROWS", 7)

    answer = await api.get(f"/api/calls/export?{query}&format=ndjson")

    listed = await all_pages(api, query)
    assert [msgspec.json.decode(line) for line in answer.content.splitlines()] == listed
    assert answer.headers["x-total-count"] == str(len(listed))


@pytest.mark.parametrize("name", list(READERS))
async def test_every_format_has_as_many_rows_as_the_list_and_a_name_that_says_which(api: Api, name: str) -> None:
    answer = await api.get(f"/api/calls/export?range=7d&format={name}")

    total = (await api.get("/api/calls?range=7d")).json()["meta"]["total"]
    version = api.doors.follower.current.snapshot.card.version
    assert READERS[name](io.BytesIO(answer.content)).height == int(answer.headers["x-total-count"]) == total
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="calls_2026-01-18_2026-01-25_{version}.{name}"'
    )
    assert answer.headers["x-version"] == version


async def test_a_column_keeps_the_type_it_has_in_the_dataset(api: Api) -> None:
    answer = await api.get("/api/calls/export?range=all&sort=-rating&format=parquet")

    assert pl.read_parquet(io.BytesIO(answer.content)).schema == pl.Schema(SCHEMA)


async def test_a_file_has_the_columns_that_are_named_and_the_id(api: Api) -> None:
    answer = await api.get("/api/calls/export?fields=rating,region&agent_id=ben&from=2026-01-05&to=2026-01-06")

    assert answer.text == "call_id,region,rating\nc-000-b,south,\n"


def test_what_a_file_may_have_are_the_columns_of_the_dataset() -> None:
    assert get_args(StoredField) == COLUMNS


async def test_the_head_alone_tells_how_many_rows_there_would_be(api: Api) -> None:
    answer = await api.client.head("/api/calls/export?range=all", headers=api.bearer())

    assert (answer.status_code, answer.headers["x-total-count"], answer.content) == (200, "60", b"")


async def test_more_rows_than_may_be_exported_are_refused_before_a_byte_is_sent(world: World) -> None:
    async with serving(world, export_rows_max=59) as api:
        await settle(lambda: api.doors.follower.current.snapshot is not None)

        answer = await api.get("/api/calls/export?range=all")
        allowed = await api.get("/api/calls/export?range=7d")

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "EXPORT_TOO_LARGE")
    assert (error["details"][0]["rows"], error["details"][0]["limit"]) == (60, 59)
    assert allowed.status_code == 200


def test_a_sheet_takes_no_more_rows_than_excel_knows() -> None:
    with pytest.raises(ExportTooLarge, match="as 'xlsx' at most 1,048,575"):
        exports.refuse_too_many(1_048_576, "xlsx", 5_000_000)

    exports.refuse_too_many(1_048_575, "xlsx", 5_000_000)
    exports.refuse_too_many(1_048_576, "csv", 5_000_000)


@pytest.mark.parametrize(
    "path",
    [
        "/api/calls/export?format=pdf",
        "/api/calls/export?page=2",
        "/api/calls/export?fields=duration_label",
        "/api/calls/export?min_wait=9&max_wait=1",
        "/api/agents/export?per_page=2",
        "/api/metrics/export?include=kpis",
        "/api/metrics/export?compare=none&sort_by=csat_delta",
    ],
)
async def test_what_does_not_fit_is_refused(api: Api, path: str) -> None:
    assert (await api.get(path)).json()["error"]["code"] == "VALIDATION_ERROR"


async def test_nobody_exports_without_a_principal(api: Api) -> None:
    assert (await api.client.get("/api/calls/export")).status_code == 401


async def test_a_version_that_is_retired_meanwhile_is_exported_to_its_end(api: Api, world: World) -> None:
    aggregates = api.doors.follower.current.snapshot.aggregates
    everything = Selection(window=aggregates.data_window("UTC"), zone="UTC")
    listed = aggregates.call_index.listed(everything, Order())

    world.write(some_calls(5))
    world.publish()
    api.doors.machine.retire([])

    assert len({row["call_id"] for row in listed.page(0, 100)}) == 60


@pytest.mark.parametrize("name", list(READERS))
async def test_the_board_as_a_file_has_the_numbers_of_its_json(api: Api, name: str) -> None:
    query = "range=7d&sort=-csat&min_calls=1"
    rows = (await api.get(f"/api/agents?{query}")).json()["data"]["rows"]

    answer = await api.get(f"/api/agents/export?{query}&format={name}")

    found = READERS[name](io.BytesIO(answer.content)).to_dicts()
    plain = {key for key, value in rows[0].items() if not isinstance(value, list | dict)}
    assert [{key: row[key] for key in plain} for row in found] == [
        {key: pytest.approx(row[key]) for key in plain} for row in rows
    ]
    assert [row["csat_delta"] for row in found] == [row["deltas"]["csat"]["absolute"] for row in rows]
    assert answer.headers["x-total-count"] == str(len(rows)) == "2"
    assert re.fullmatch(
        rf'attachment; filename="agents_2026-01-18_2026-01-25_\w+\.{name}"', answer.headers["content-disposition"]
    )


@pytest.mark.parametrize("name", list(READERS))
async def test_breakdowns_as_a_file_have_the_numbers_of_their_json(api: Api, name: str) -> None:
    query = "range=all&by=region,agent,rating&metrics=calls,csat,answered&top=1"
    breakdowns = (await api.get(f"/api/metrics?include=breakdowns&{query}")).json()["data"]["breakdowns"]
    rows = [
        (each["dimension"], row.get("key"), row["calls"], row.get("csat"), row.get("answered"))
        for each in breakdowns
        for row in (*each["rows"], each["other"])
    ]

    answer = await api.get(f"/api/metrics/export?{query}&format={name}")

    found = READERS[name](io.BytesIO(answer.content))
    columns = ("dimension", "key", "calls", "csat", "answered")
    assert [tuple(row[column] for column in columns) for row in found.to_dicts()] == rows


class Client:
    """One that reads, or goes: the ends of an ASGI connection."""

    def __init__(self, stays_for: int) -> None:
        self.sent: list[dict[str, Any]] = []
        self._stays_for = stays_for
        self._gone = asyncio.Event()

    def leave(self) -> None:
        self._gone.set()

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if len(self.sent) == self._stays_for:
            self.leave()
            await asyncio.sleep(0)


async def download(downloads: Downloads, make: Make, client: Client) -> None:
    scope: Any = {KEY: Trace("GET", {}, b"1", None)}  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - not looked at
    await Download(downloads, make, [])(scope, client.receive, client.send)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - plain ASGI


async def test_the_work_ends_when_the_client_goes() -> None:
    written: list[int] = []

    def make(out: IO[bytes], _: Event) -> None:
        for number in range(10_000):
            out.write(b"x" * 100_000)
            written.append(number)

    downloads, client = Downloads(1), Client(stays_for=3)

    await download(downloads, make, client)

    assert len(written) < 100
    assert [message["type"] for message in client.sent] == ["http.response.start", *["http.response.body"] * 2]
    assert downloads.under_way == 0


async def test_what_fails_midway_is_never_ended_as_if_it_were_whole() -> None:
    def make(out: IO[bytes], _: Event) -> None:
        out.write(b"x" * 500_000)
        raise ValueError("halfway")

    client = Client(stays_for=-1)

    with pytest.raises(ValueError, match="halfway"):
        await download(Downloads(1), make, client)

    assert {message["more_body"] for message in client.sent[1:]} == {True}


async def test_what_fails_before_the_first_byte_is_not_begun() -> None:
    def make(out: IO[bytes], _: Event) -> None:
        raise ValueError(out)

    client = Client(stays_for=-1)

    with pytest.raises(ValueError, match="Buffered"):
        await download(Downloads(1), make, client)

    assert client.sent == []


async def test_an_empty_file_is_a_whole_one() -> None:
    client = Client(stays_for=-1)

    def nothing(_: IO[bytes], __: Event) -> None:
        return

    await download(Downloads(1), nothing, client)

    assert [message.get("more_body") for message in client.sent] == [None, False]


async def test_no_more_files_than_allowed_are_sent_at_once_and_a_client_is_told_when_to_come_again(api: Api) -> None:
    with api.doors.downloads.place(), api.doors.downloads.place():
        answer = await api.get("/api/calls/export")

    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["retry-after"]) == (
        503,
        "OVERLOADED",
        "10",
    )
    assert (await api.get("/api/calls/export")).status_code == 200


async def test_a_client_that_does_not_read_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supportapi.api.download.LIFETIME_SECONDS", 0.05)

    def much(out: IO[bytes], _: Event) -> None:
        out.write(b"x" * 10_000_000)

    class Stuck(Client):
        async def send(self, message: Any) -> None:
            await super().send(message)
            await asyncio.sleep(60)

    downloads = Downloads(1)

    with pytest.raises(ExportTimedOut, match="within an hour"):
        await download(downloads, much, Stuck(stays_for=-1))

    assert downloads.under_way == 0


async def test_a_workbook_that_nobody_waits_for_any_longer_is_not_finished() -> None:
    frame = pl.DataFrame({"number": range(1_000_000)})
    raised: list[Exception] = []

    def make(out: IO[bytes], stopped: Event) -> None:
        try:
            write([frame], frame.schema, "xlsx", out, stopped)
        except ExportFailed as failed:
            raised.append(failed)

    client = Client(stays_for=-1)
    asyncio.get_running_loop().call_later(0.5, client.leave)

    with anyio.fail_after(5):
        await download(Downloads(1), make, client)

    assert (len(raised), client.sent) == (1, [])
