from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supportapi.answers.query import AgentsQuery, MetricsQuery
from supportapi.answers.query_string import canonical, decode
from supportapi.errors import ValidationFailed

if TYPE_CHECKING:
    from random import Random

    from supportapi.calls.window import Grain


def test_repeated_and_comma_separated_members_are_the_same_question() -> None:
    repeated = decode(b"region=South&region=North", MetricsQuery)

    assert repeated == decode(b"region=North,South", MetricsQuery)
    assert repeated.region == ("North", "South")


def test_an_encoded_comma_belongs_to_the_member() -> None:
    assert decode(b"issue_type=Billing%2C+payments", MetricsQuery).issue_type == ("Billing, payments",)


def test_the_default_window_is_spelled_out_so_that_it_has_one_form() -> None:
    assert canonical(decode(b"", MetricsQuery)) == canonical(decode(b"range=30d", MetricsQuery)) == "range=30d"


@pytest.mark.parametrize("query", [b"to=null", b"from=NULL", b"range=null", b"range=7d&sort_by=null"])
def test_the_word_null_is_no_value_that_was_left_out(query: bytes) -> None:
    with pytest.raises(ValidationFailed):
        decode(query, MetricsQuery)


def test_every_problem_is_told_at_once_in_the_clients_words() -> None:
    with pytest.raises(ValidationFailed) as refused:
        decode(b"regoin=x&from=1.1.2026&page=0&compare=yesterday&to=2026-01-01&to=2026-01-02", AgentsQuery)

    told = {detail["field"]: str(detail["message"]) for detail in refused.value.details}
    assert set(told) == {"regoin", "from", "page", "compare", "to"}
    assert "did you mean 'region'" in told["regoin"]
    assert "YYYY-MM-DD" in told["from"]
    assert "previous_week" in told["compare"]


_MEMBERS = st.lists(st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable()), max_size=3)


@given(_MEMBERS, _MEMBERS, st.sampled_from(["day", "hour", "week"]), st.randoms())
def test_the_canonical_form_gives_the_question_back_whatever_the_order(
    regions: list[str], agents: list[str], grain: Grain, chance: Random
) -> None:
    question = MetricsQuery(
        region=tuple(sorted(set(regions))), agent_id=tuple(sorted(set(agents))), grain=grain, range="90d"
    )
    pieces = canonical(question).split("&")
    chance.shuffle(pieces)

    again = decode("&".join(pieces).encode(), MetricsQuery)

    assert again == question
    assert canonical(again) == canonical(question)
