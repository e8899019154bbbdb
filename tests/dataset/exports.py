# ruff: noqa: E501 - rows of exports are as long as they are
"""Made-up exports that look like those of real systems, and what a careful person would write into their mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Export(NamedTuple):
    """A file's name and text, the mapping that is expected for it (`name` aside), and what is left to decide."""

    file: str
    text: str
    mapping: dict[str, Any]
    to_decide: tuple[str, ...] = ("time_zone",)
    encoding: str = "utf-8"


AGENTS = ("Ann Lee", "Ben Roy", "Carla Diaz", "Dan Wu")
TOPICS = ("Billing", "Delivery", "Login", "Refund", "Warranty")


def lines(header: str, row: Callable[[int], str], count: int = 40) -> str:
    return "\n".join([header, *(row(k) for k in range(count))]) + "\n"


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def wait(k: int) -> int:
    return k * 37 % 90 + 3


def talk(k: int) -> int:
    return 0 if lost(k) else k * 53 % 400 + 31


def lost(k: int) -> bool:
    return k % 5 == 4


def began(k: int) -> int:
    """Seconds of the day."""
    return 8 * 3600 + k * 611


def day(k: int) -> int:
    return k % 28 + 1


GENESYS = Export(
    "genesys.csv",
    lines(
        '"Conversation ID","Media Type","Users","Remote","Date","Duration","Direction","ANI","DNIS","Queue","Wrap-up",'
        '"Total Queue","Total Talk","Total Hold","Total ACW","Abandoned"',
        lambda k: (
            f'"7d0c{k:04x}-8a1b-4c2d-9e3f-{k * 7919:012x}","voice","{"" if lost(k) else AGENTS[k % 4]}","+4930123{k:04d}",'
            f'"5/{day(k)}/24 {began(k) // 3600 % 12 or 12}:{began(k) // 60 % 60:02d} {"PM" if began(k) >= 43200 else "AM"}",'
            f'"{clock(wait(k) + talk(k) + 20)}","Inbound","tel:+4930123{k:04d}","+49800555","Service DE","{TOPICS[k % 5]}",'
            f'"{clock(wait(k))}","{"" if lost(k) else clock(talk(k))}","00:00:0{k % 9}","00:00:15","{"YES" if lost(k) else "NO"}"'
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "Conversation ID",
            "agent_name": "Users",
            "channel": "Media Type",
            "issue_type": "Wrap-up",
            "started_at": {"from": "Date", "formats": "%m/%d/%y %I:%M %p"},
            "wait_seconds": {"from": "Total Queue", "unit": "h:mm:ss"},
            "duration_seconds": {"from": "Total Talk", "unit": "h:mm:ss"},
            "answered": {"from": "Abandoned", "true_words": "NO", "false_words": "YES"},
        },
    },
)
AVAYA = Export(
    "avaya_cdr.csv",
    lines(
        "UCID,CALLID,SEGMENT,SEGSTART,SEGSTOP,QUEUETIME,RINGTIME,TALKTIME,ANSHOLDTIME,ACWTIME,DISPOSITION,ANSLOGIN,CALLING_PTY",
        lambda k: (
            f"0000100{k:05d}1714900{k:03d},{k % 30 + 100},1,{1714980000 + k * 611},{1714980000 + k * 611 + wait(k) + talk(k) + 4},"
            f"{wait(k)},4,{talk(k)},0,{k % 40},{3 if lost(k) else 2},{'' if lost(k) else 4001 + k % 4},4930123{k:04d}"
        ),
    ),
    {
        "columns": {
            "call_id": "UCID",
            "agent_id": "ANSLOGIN",
            "started_at": {"from": "SEGSTART", "formats": "epoch_seconds"},
            "ended_at": "SEGSTOP",
            "wait_seconds": "QUEUETIME",
            "duration_seconds": "TALKTIME",
            "answered": {"when": {"column": "TALKTIME", "above": 0}},
        },
    },
    to_decide=("wait_seconds", "duration_seconds", "answered"),
)
FIVE9 = Export(
    "five9 call log.csv",
    lines(
        "CALL ID,TIMESTAMP,CAMPAIGN,CALL TYPE,AGENT,AGENT NAME,DISPOSITION,ANI,CUSTOMER NAME,DNIS,CALL TIME,IVR TIME,"
        "QUEUE WAIT TIME,RING TIME,TALK TIME,HOLD TIME,AFTER CALL WORK TIME,TRANSFERS,ABANDONED",
        lambda k: (
            f'3000000{k:06d},"{("Wed", "Thu", "Fri")[k % 3]}, 0{k % 3 + 1} May 2024 {clock(began(k))}",Care,Inbound,'
            f"{'' if lost(k) else f'u{k % 4}@example.com'},{'' if lost(k) else AGENTS[k % 4]},"
            f"{'Abandon' if lost(k) else ('Resolved', 'Escalated', 'Resolved')[k % 3]},5551230{k:03d},Pat Doe{k},8005550100,"
            f"{clock(wait(k) + talk(k) + 9)},00:00:05,{clock(wait(k))},00:00:04,{clock(talk(k))},00:00:00,00:00:20,0,{int(lost(k))}"
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "CALL ID",
            "agent_name": "AGENT NAME",
            "started_at": {"from": "TIMESTAMP", "formats": "%a, %d %b %Y %H:%M:%S"},
            "wait_seconds": {"from": "QUEUE WAIT TIME", "unit": "h:mm:ss"},
            "duration_seconds": {"from": "TALK TIME", "unit": "h:mm:ss"},
            "answered": {"from": "ABANDONED", "true_words": "0", "false_words": "1"},
            "resolution": "DISPOSITION",
        },
    },
    to_decide=("time_zone", "resolution"),
)
TALKDESK = Export(
    "talkdesk.csv",
    lines(
        "Interaction ID,Call Type,Start Time (UTC),End Time (UTC),Customer Phone Number,Talk Time,Waiting time,Agent Name,"
        "Disposition Code,Ring Groups,Rating",
        lambda k: (
            f"int_{k:05d}ab,{'missed' if lost(k) else 'inbound'},2024-05-{day(k):02d} {clock(began(k))},"
            f"2024-05-{day(k):02d} {clock(began(k) + wait(k) + talk(k))},+1415555{k:04d},{talk(k)},{wait(k)},"
            f"{'-' if lost(k) else AGENTS[k % 4]},{TOPICS[k % 5]},care,{'' if k % 3 else k % 5 + 1}"
        ),
    ),
    {
        "time_zone": "UTC",
        "columns": {
            "call_id": "Interaction ID",
            "agent_name": {"from": "Agent Name", "null_words": "-"},
            "issue_type": "Disposition Code",
            "started_at": "Start Time (UTC)",
            "ended_at": "End Time (UTC)",
            "wait_seconds": "Waiting time",
            "duration_seconds": "Talk Time",
            "answered": {"when": {"column": "Talk Time", "above": 0}},
            "rating": "Rating",
        },
    },
    to_decide=("wait_seconds", "duration_seconds", "answered"),
)
ZENDESK = Export(
    "zendesk_talk.json",
    "["
    + ",\n".join(
        f'{{"id": {360000000000 + k}, "created_at": "2024-05-{day(k):02d}T{clock(began(k))}Z", "agent_id": '
        f'{"null" if lost(k) else 9001 + k % 4}, "customer_id": {70000 + k % 17}, "direction": "inbound", "duration": '
        f'{wait(k) + talk(k) + 40}, "talk_time": {talk(k)}, "wait_time": {wait(k)}, "hold_time": 0, "completion_status": '
        f'"{"abandoned_in_queue" if lost(k) else "completed"}", "phone_number": "+1415555{k:04d}"}}'
        for k in range(40)
    )
    + "]",
    {
        "columns": {
            "call_id": "id",
            "agent_id": "agent_id",
            "customer_id": "customer_id",
            "started_at": "created_at",
            "wait_seconds": "wait_time",
            "duration_seconds": "talk_time",
            "answered": {
                "from": "completion_status", "true_words": "completed", "false_words": "abandoned_in_queue",
            },
        },
    },
    to_decide=("wait_seconds", "duration_seconds"),
)  # fmt: skip
FRESHDESK = Export(
    "freshdesk_tickets.csv",
    lines(
        "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time,Resolved time,Closed time,"
        "Last update time,Resolution time (in hrs),Agent interactions,Resolution status,Survey results,Full name,Email",
        lambda k: (
            f"{1000 + k},Where is my parcel number {k}?,{('Open', 'Pending', 'Resolved', 'Closed')[k % 4]},Low,"
            f"{('Email', 'Phone', 'Portal')[k % 3]},{TOPICS[k % 3]},{AGENTS[k % 4]},Care,2024-05-{day(k):02d} {clock(began(k))},"
            f"2024-06-{day(k):02d} 17:00:00,{'' if k % 4 < 2 else f'2024-05-{day(k):02d} 23:10:00'},,2024-06-{day(k):02d} 10:00:00,"
            f"{k % 9}.5,{k % 4},{'SLA Violated' if k % 6 else 'Within SLA'},,Pat Doe{k},pat{k}@example.com"
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "Ticket ID",
            "agent_name": "Agent",
            "channel": "Source",
            "issue_type": "Type",
            "started_at": "Created time",
            "resolution": "Status",
        },
    },
)
CONNECT = Export(
    "connect_ctr.ndjson",
    "\n".join(
        f'{{"ContactId": "{k:08x}-1111-2222-3333-444455556666", "Channel": "VOICE", "InitiationTimestamp": '
        f'"2024-05-{day(k):02d}T{clock(began(k))}Z", "DisconnectTimestamp": "2024-05-{day(k):02d}T'
        f'{clock(began(k) + wait(k) + talk(k) + 5)}Z", "LastUpdateTimestamp": "2024-06-01T00:00:{k:02d}Z", "Queue": {{"Name": '
        f'"{("Care", "Sales")[k % 2]}", "Duration": {wait(k)}}}, "Agent": {{"Username": '
        f'{"null" if lost(k) else chr(34) + AGENTS[k % 4].replace(" ", ".").lower() + chr(34)}, "AgentInteractionDuration": '
        f'{"null" if lost(k) else talk(k)}, "CustomerHoldDuration": 0, "AfterContactWorkDuration": 12}}, "CustomerEndpoint": '
        f'{{"Address": "+1415555{k:04d}", "Type": "TELEPHONE_NUMBER"}}}}'
        for k in range(40)
    )
    + "\n",
    {
        "columns": {
            "call_id": "ContactId",
            "agent_name": "Agent.Username",
            "channel": "Channel",
            "issue_type": "Queue.Name",
            "started_at": "InitiationTimestamp",
            "ended_at": "DisconnectTimestamp",
            "wait_seconds": "Queue.Duration",
            "duration_seconds": "Agent.AgentInteractionDuration",
        },
    },
    to_decide=("wait_seconds", "duration_seconds"),
)
TWILIO = Export(
    "twilio-calls.csv",
    lines(
        "Sid,From,To,Status,StartTime,EndTime,Duration,Direction,Price,PriceUnit",
        lambda k: (
            f"CA{k:032x},+1415555{k:04d},+18005550100,{'no-answer' if lost(k) else 'completed'},"
            f'"Mon, 06 May 2024 {clock(began(k))} +0000","Mon, 06 May 2024 {clock(began(k) + talk(k))} +0000",{talk(k)},'
            f"inbound,-0.0085,USD"
        ),
    ),
    {
        "columns": {
            "call_id": "Sid",
            "started_at": {"from": "StartTime", "formats": "%a, %d %b %Y %H:%M:%S %z"},
            "ended_at": "EndTime",
            "duration_seconds": "Duration",
            "answered": {"from": "Status", "true_words": "completed", "false_words": "no-answer"},
        },
    },
    to_decide=(),
)
ASTERISK = Export(
    "Master.csv",
    lines(
        '"accountcode","src","dst","dcontext","clid","channel","dstchannel","lastapp","lastdata","start","answer","end",'
        '"duration","billsec","disposition","amaflags","uniqueid"',
        lambda k: (
            f'"","4930123{k:04d}","600","from-trunk","""Pat"" <4930123{k:04d}>","PJSIP/trunk-{k:08x}","PJSIP/10{k % 4}-{k:08x}",'
            f'"Queue","600,t,,,300","2024-05-{day(k):02d} {clock(began(k))}",'
            f'"{"" if lost(k) else f"2024-05-{day(k):02d} {clock(began(k) + wait(k))}"}",'
            f'"2024-05-{day(k):02d} {clock(began(k) + wait(k) + talk(k))}",{wait(k) + talk(k)},{talk(k)},'
            f'"{"NO ANSWER" if lost(k) else "ANSWERED"}","DOCUMENTATION","17149{k:05d}.{k}"'
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "uniqueid",
            "started_at": "start",
            "ended_at": "end",
            "wait_seconds": {"between": ["start", "answer"]},
            "duration_seconds": "billsec",
            "answered": {"from": "disposition", "true_words": "ANSWERED", "false_words": "NO ANSWER"},
        },
    },
)
THREE_CX = Export(
    "3cx.csv",
    lines(
        "Call Time,Caller ID,Destination,Status,Ringing,Talking,Totals,Cost,Reason",
        lambda k: (
            f"{day(k):02d}/05/2024 {clock(began(k))},4930123{k:04d},Queue {k % 3},{'Unanswered' if lost(k) else 'Answered'},"
            f"{clock(wait(k))},{clock(talk(k)) if talk(k) else ''},{clock(wait(k) + talk(k))},0,{'Terminated by' if k % 2 else 'Ended by'} src"
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "Call Time",
            "issue_type": "Reason",
            "started_at": {"from": "Call Time", "formats": "%d/%m/%Y %H:%M:%S"},
            "wait_seconds": {"from": "Ringing", "unit": "h:mm:ss"},
            "duration_seconds": {"from": "Talking", "unit": "h:mm:ss"},
            "answered": {"from": "Status", "true_words": "Answered", "false_words": "Unanswered"},
        },
    },
    to_decide=("time_zone", "call_id"),
)
CITY = Export(
    "311.csv",
    lines(
        "Unique Key,Created Date,Closed Date,Agency,Agency Name,Complaint Type,Descriptor,Incident Zip,Incident Address,City,"
        "Status,Resolution Description,Borough,Open Data Channel Type",
        lambda k: (
            f"{61000000 + k},05/{day(k):02d}/2024 {began(k) // 3600 % 12 or 12:02d}:{began(k) // 60 % 60:02d}:00 "
            f"{'PM' if began(k) >= 43200 else 'AM'},{'' if k % 4 == 0 else f'06/{day(k):02d}/2024 01:00:00 AM'},NYPD,"
            f"Police Department,{('Noise', 'Parking', 'Water')[k % 3]},Loud,1000{k % 9},{k} MAIN STREET,NEW YORK,"
            f"{'Open' if k % 4 == 0 else 'Closed'},The department came and looked and found it all right {k}.,"
            f"{('BRONX', 'QUEENS')[k % 2]},{('PHONE', 'ONLINE')[k % 2]}"
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "Unique Key",
            "region": "Borough",
            "channel": "Open Data Channel Type",
            "issue_type": "Complaint Type",
            "started_at": {"from": "Created Date", "formats": "%m/%d/%Y %I:%M:%S %p"},
            "resolution": "Status",
        },
    },
)
GERMAN = Export(
    "anrufe.csv",
    lines(
        "Anruf-ID;Datum;Uhrzeit;Mitarbeiter;Kundennummer;Kundenname;Anliegen;Wartezeit (Sek.);Gesprächsdauer (Min.);Angenommen;"
        "Gelöst;Bewertung",
        lambda k: (
            f"A-{k:04d};{day(k)}.5.24;{clock(began(k))[:5]};{'-' if lost(k) else AGENTS[k % 4]};K{k % 13:03d};Müller {k};"
            f"{('Rechnung', 'Störung', 'Umzug')[k % 3]};{wait(k)};{'' if lost(k) else f'{talk(k) / 60:.2f}'.replace('.', ',')};"
            f"{'Nein' if lost(k) else 'Ja'};{'Ja' if k % 3 else 'Nein'};{'' if lost(k) else k % 11}"
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "Anruf-ID",
            "customer_id": "Kundennummer",
            "agent_name": {"from": "Mitarbeiter", "null_words": "-"},
            "issue_type": "Anliegen",
            "started_at": {"from": ["Datum", "Uhrzeit"], "formats": "%d.%m.%y %H:%M"},
            "wait_seconds": "Wartezeit (Sek.)",
            "duration_seconds": {"from": "Gesprächsdauer (Min.)", "unit": "minutes", "decimal": ","},
            "answered": {"from": "Angenommen", "true_words": "Ja", "false_words": "Nein"},
            "resolved": {"from": "Gelöst", "true_words": "Ja", "false_words": "Nein"},
            "rating": {
                "from": "Bewertung", "rating_scale": {"from": [0, 10], "to": [1, 5], "rule": "linear"},
            },
        },
    },
    encoding="cp1252",
)  # fmt: skip
RUSSIAN = Export(
    "звонки.csv",
    lines(
        "Номер звонка;Начало звонка;Окончание звонка;Оператор;Регион;Причина;Время ожидания (сек);Длительность разговора (сек);Отвечен",
        lambda k: (
            f"{5000 + k};{day(k):02d}.05.2024 {clock(began(k))};{day(k):02d}.05.2024 {clock(began(k) + wait(k) + talk(k))};"
            f"{'' if lost(k) else ('Иванова', 'Петров')[k % 2]};{('Москва', 'Казань')[k % 2]};{('Счёт', 'Доставка')[k % 2]};"
            f"{wait(k)};{talk(k)};{'нет' if lost(k) else 'да'}"
        ),
    ),
    {
        "time_zone": "DECIDE",
        "read": {"encoding": "cp1251"},
        "columns": {
            "call_id": "Номер звонка",
            "agent_name": "Оператор",
            "region": "Регион",
            "issue_type": "Причина",
            "started_at": {"from": "Начало звонка", "formats": "%d.%m.%Y %H:%M:%S"},
            "ended_at": "Окончание звонка",
            "wait_seconds": "Время ожидания (сек)",
            "duration_seconds": "Длительность разговора (сек)",
            "answered": {"from": "Отвечен", "true_words": "да", "false_words": "нет"},
        },
    },
    encoding="cp1251",
)
AMBIGUOUS = Export(
    "ringcentral.csv",
    "Call log of Example Ltd\nExported for May\n\n"
    + lines(
        "Session Id,From Name,From Number,To Name,Result,Call Length,Handle Time,Call Start Time,Queue",
        lambda k: (
            f"s{k:06d},Pat Doe{k},+1415555{k:04d},{AGENTS[k % 4]},{('Accepted', 'Missed', 'Voicemail')[k % 3]},{clock(talk(k))[3:]},"
            f"{clock(talk(k) + 30)[3:]},{k % 12 + 1:02d}/05/2024 {clock(began(k))},{('Care', 'Sales')[k % 2]}"
        ),
    ),
    {
        "time_zone": "DECIDE",
        "columns": {
            "call_id": "Session Id",
            "issue_type": "Queue",
            "started_at": {"from": "Call Start Time", "formats": "DECIDE"},
            "duration_seconds": {
                "from": "Call Length", "unit": "m:ss", "only_when": {"column": "Result", "is_not": "Missed"},
            },
            "answered": {
                "from": "Result", "true_words": "Accepted", "false_words": "Missed", "other": "null",
            },
        },
    },
    to_decide=("time_zone", "started_at", "answered"),
)  # fmt: skip
EXPORTS = (
    GENESYS, AVAYA, FIVE9, TALKDESK, ZENDESK, FRESHDESK, CONNECT, TWILIO, ASTERISK, THREE_CX, CITY, GERMAN, RUSSIAN,
    AMBIGUOUS,
)  # fmt: skip
