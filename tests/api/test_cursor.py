"""Whoever makes a cursor up, alters one, or takes another's, is refused by name."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from supportapi.api.cursor import Cursor, Cursors
from supportapi.errors import ValidationFailed
from tests.api.world import SECRET

if TYPE_CHECKING:
    from tests.api.world import Api

VERSION, QUESTION = "3f9c1d0a55b2e871", "region=north"
CURSORS = Cursors(SECRET)
OURS = CURSORS.spell(Cursor(VERSION, 50), QUESTION)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=% é\0"

PLACES = st.builds(Cursor, st.binary(min_size=8, max_size=8).map(bytes.hex), st.integers(0, 2**64 - 1))
WORDS = st.one_of(
    st.text(max_size=100),
    st.text(LETTERS, min_size=40, max_size=50),
    st.binary(max_size=80).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
)


def altered(at: int, letter: str) -> str:
    return OURS[:at] + letter + OURS[at + 1 :]


def is_refused(word: str, question: str = QUESTION, cursors: Cursors = CURSORS) -> bool:
    with pytest.raises(ValidationFailed) as caught:
        cursors.read(word, question)
    return [detail["field"] for detail in caught.value.details] == ["cursor"]


@given(PLACES, st.text(max_size=50))
def test_a_cursor_leads_to_where_it_was_spelled(place: Cursor, question: str) -> None:
    assert CURSORS.read(CURSORS.spell(place, question), question) == place


@given(WORDS)
@example("")
@example(OURS + "=")
@example(OURS + "A")
@example(OURS[:-1])
def test_what_somebody_makes_up_is_refused(word: str) -> None:
    assert is_refused(word)


@given(st.integers(0, len(OURS) - 1), st.sampled_from(LETTERS))
def test_a_cursor_of_which_one_letter_is_another_is_refused(at: int, letter: str) -> None:
    word = altered(at, letter)

    assert word == OURS or is_refused(word)


@pytest.mark.parametrize("letter", LETTERS[:64])
def test_the_last_letter_of_a_cursor_has_one_spelling(letter: str) -> None:
    word = altered(len(OURS) - 1, letter)

    assert word == OURS or is_refused(word)


@given(PLACES, st.text(max_size=20))
def test_a_cursor_of_another_place_question_or_key_is_refused(place: Cursor, question: str) -> None:
    forged = Cursors("another secret").spell(place, QUESTION)

    assert is_refused(forged)
    assert is_refused(CURSORS.spell(place, f"another {question}"))


@given(PLACES)
def test_one_cursors_signature_signs_no_other_place(place: Cursor) -> None:
    other = CURSORS.spell(place, QUESTION)
    raw, ours = (base64.urlsafe_b64decode(word + "=") for word in (other, OURS))
    pasted = base64.urlsafe_b64encode(raw[:16] + ours[16:]).decode().rstrip("=")

    assert pasted == OURS or is_refused(pasted)


@pytest.mark.anyio
async def test_no_cursor_that_was_not_given_out_is_answered_or_breaks_anything(api: Api) -> None:
    given_out = (await api.get("/api/calls?per_page=7&sort=-wait")).json()["links"]["cursor"].partition("cursor=")[2]
    word = given_out.partition("&")[0]
    words = [word[:at] + letter + word[at + 1 :] for at in range(len(word)) for letter in ("A", "_", "%00", "%C3%A9")]
    words += [word[::-1], word * 2, word[:-1], f"{word}%3D", "%FF%FE", "..%2F..", "0", "-1", "null"]
    told = [f"/api/calls?per_page=7&sort=-wait&cursor={each}" for each in words if each != word]

    answers = [await api.get(address) for address in told]

    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(422, "VALIDATION_ERROR")}
    assert (await api.get(f"/api/calls?per_page=7&sort=-wait&cursor={word}")).status_code == 200
