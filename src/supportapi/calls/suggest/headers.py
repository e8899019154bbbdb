"""What headers say: how strongly a header's words speak for one of our columns.

Headers are compared as `seen.plain_header` writes them: lower case, no accents, words apart, in English.
"""

from __future__ import annotations

import re
from typing import Final

_SPOKEN: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "call_id": (
        (
            6,
            r"(call|contact|interaction|conversation|engagement) (id|key|guid|uuid|sid|ref\w*|nr|no|number|num|#)",
        ),
        (6, r"(id|nr|no|ref|number|code) (call|contact|interaction|conversation)"),
        (6, "callid|contactid|ucid|uniqueid|unique (id|key)"),
        (
            5,
            (
                r"(session|incident|ticket|case|record|sr|service request|request|segment|cdr|log|vorgangs?|event) "
                r"(id|key|guid|uuid|sid|ref\w*|nr|no|number|num|#)"
            ),
        ),
        (4, "^(id|sid|guid|uuid|key|identifier|number|nr|no|ref(erence)?)$"),
    ),
    "customer_id": (
        (
            5,
            (
                "(customer|caller|client|account|member|patient|requester|subscriber|konto|consumer|crm) "
                "(id|key|nr|no|number|num|code|#)"
            ),
        ),
        (5, "customerid|clientid|(id|nr|no|number|code) (customer|client|caller)"),
        (3, "^(customer|client|account|member|patient)$|contact (id|number|no)"),
    ),
    "agent": (
        (6, "(agent|operator|rep|advisor|user) ?name|name (agent|operator|advisor)"),
        (5, "agents?|operator|advisor|adviser|call taker|anslogin"),
        (4, "owner|assignee|assigned to|answered by|handled by|representative|rep|employee|technician|consultant"),
        (3, "server|user ?name|users?|staff|extension|callee ?name"),
    ),
    "region": (
        (5, r"region\w*|territory|borough"),
        (4, "state|country|province|county|district|departement"),
        (3, "site|branch|location"),
        (2, "call cent(er|re)|city|area|office"),
    ),
    "channel": (
        (5, "channel( type)?|media( type)?|medium"),
        (3, "source|origin|contact (type|method)|mode"),
    ),
    "issue_type": (
        (5, r"issue\w*|topic|reason|complaint type|problem\w*|category"),
        (4, "wrap up( code| name)?|call type|request type|ticket type|nature"),
        (3, "^(type)$"),
        (2, r"disposition( code)?|queue ?(name)?|csq( names?)?|skill\w*|campaign|service|department"),
    ),
    "started_at": (
        (6, r"start\w*|begin|began|seg ?start|initiat\w*"),
        (
            5,
            (
                r"call ?(date|time|timestamp|datetime)( time)?|(date|time) call|\w*entry|arriv\w*|received|offered|"
                r"creat\w+|open(ed)?( (date|time|at))?|calldate|logged"
            ),
        ),
        (3, "date ?time|time ?stamp|date|data|dttm|day"),
        (2, "time"),
    ),
    "ended_at": ((6, r"end|ended|stop\w*|disconnect\w*|hang ?up|seg ?stop|termin\w*|exit|finish\w*"),),
    "picked_up": (
        (
            6,
            (
                r"answer\w*|pick(ed)? ?up( \w+)?|connect(ed|ion)?|accepted|ser start|(service|talk) start\w*|bridged?|"
                r"annahme\w*"
            ),
        ),
    ),
    "wait_seconds": (
        (6, r"wait\w*|speed (of|to) answer|asa|answer speed|time to answer"),
        (
            5,
            (
                r"queue (time|duration|wait\w*|seconds|secs?|ms|minutes)|queue ?time|(time )?in queue|time queue|"
                "q time|total queue|queue duration"
            ),
        ),
        (3, r"ring\w*"),
    ),
    "duration_seconds": (
        (6, r"talk\w*|conversation|bill ?sec"),
        (5, "(ser|service|interaction|connected) (time|duration|seconds|sec)|agent interaction duration"),
        (4, "duration|call length|length|minutes|^(seconds|secs?)$"),
    ),
    "answered": (
        (6, "answered"),
        (6, r"abandon\w*|missed|unanswered"),
        (4, r"outcome|disp(osition)?|result\w*|completion( status)?|call (status|result|outcome)"),
        (3, "status|state|call type"),
    ),
    "resolved": ((6, "resolved|solved|fcr|first (call|contact) resolution"),),
    "resolution": (
        (5, "resolution|outcome|disposition|(ticket|case|request|issue) status"),
        (4, "status|state"),
    ),
    "rating": (
        (6, r"csat\w*|satisf\w*|rating|stars?|survey( score| results?| rating)?"),
        (3, "^note( customer| client| satisfaction)?$|score|schulnoten?|grade"),
    ),
}

_DENIED: Final[dict[str, str]] = {
    "call_id": "parent|master|linked|previous|original|name|type|customer|agent|row|phone",
    "customer_id": r"phone|tel\w*|name|email|service|type|rating|number of",
    "agent": (
        "interactions?|duration|time|group|team|hold|count|rating|score|connected|status|number of|"
        r"calls?|sec\w*|customer|requester|type|email|comments?|notes?"
    ),
    "region": "code|zip|postal|id|time|address|plate",
    "channel": "dst|destination|id|name|time",
    "issue_type": r"media|disconnect|date|time|agent|id|hang|abandon|miss\w*|cancel\w*|wait\w*|duration|position|%",
    "started_at": (
        r"end|ended|stop\w*|finish\w*|clos\w+|resol\w+|disconnect\w*|hang ?up|complet\w*|exit|"
        r"termin\w*|updat\w*|modif\w*|due|birth\w*|dob|last|answer\w*|solved|respon\w*|segstop|dequeue\w*|"
        r"transfer\w*|export\w*|report|next|wrap|conected|connected|agent|queue|enqueue|wait|talk|duration"
    ),
    "ended_at": r"due|birth\w*|last|export|report|reason|updat\w*",
    "picked_up": r"speed|rate|dis\w+|id|name|end|to(?! agent)|by",
    "wait_seconds": r"handl\w*|hold|wrap|talk\w*|after|ivr|abandoned in|position|name|maximum",
    "duration_seconds": (
        r"handl\w*|aht|wait\w*|queue|q|hold\w*|ring\w*|wrap|acw|after|totals?(?! talk)|ivr|vru|park\w*|bill time|"
        r"cost|abandon\w*|resolution|first|idle|break|answer|charge"
    ),
    "answered": "time|date|id|by|at|duration|name|ticket|resolution|response|reason|sla|survey",
    "resolved": "time|date|at|by|hours?|hrs|status",
    "resolution": "time|date|id|at|by|sla|first|hours?|hrs|completion|call",
    "rating": r"nps|recommend\w*|sentiment|sla|quality|qa|agent|priority|lead|date|time|comments?|id|risk",
}

_WHOLE: Final = r"(?<!\w)(?:{})(?!\w)"
SPOKEN: Final = {
    column: tuple((weight, re.compile(_WHOLE.format(words))) for weight, words in rules)
    for column, rules in _SPOKEN.items()
}
DENIED: Final = {column: re.compile(_WHOLE.format(words)) for column, words in _DENIED.items()}
IDENTIFYING: Final = re.compile(_WHOLE.format(r"id|nr|no|number|num|code|login|ext|extension|key|#|anslogin"))


def weight(column: str, header: str) -> int:
    """How strongly `header` speaks for `column`, from 6 (says so) to 2 (may be); 0 when it says something else."""
    if DENIED[column].search(header):
        return 0
    return max((weight for weight, words in SPOKEN[column] if words.search(header)), default=0)


def spoken(column: str, header: str) -> str:
    """The words of `header` that speak most strongly for `column`, for a comment."""
    found = [(weight, match[0]) for weight, words in SPOKEN[column] if (match := words.search(header))]
    return max(found, key=lambda pair: pair[0])[1] if found else ""
