from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

from supportapi.access.tokens import Tokens
from supportapi.errors import Unauthenticated

KEY = "a key that nobody knows, long enough"
TOKENS = Tokens(KEY, 3600, time.time)


def reason(token: str, tokens: Tokens = TOKENS) -> object:
    with pytest.raises(Unauthenticated) as caught:
        tokens.read_token(token)
    return caught.value.facts["reason"]


def forged(**changes: Any) -> str:
    """A token with the right signature and other claims; None takes one away."""
    token, _ = TOKENS.issue_token("ann", "viewer")
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    key = TOKENS._key  # pyright: ignore[reportPrivateUsage] - whoever has the key can sign anything
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm="HS256", headers=jwt.get_unverified_header(token))


def test_a_token_names_whom_it_was_issued_to() -> None:
    token, seconds = TOKENS.issue_token("ann", "admin")

    principal = TOKENS.read_token(token)

    assert (principal.username, principal.role, seconds) == ("ann", "admin", 3600)
    assert principal.expires_at == pytest.approx(time.time() + 3600, abs=2)


def test_two_tokens_of_one_user_are_two() -> None:
    ids = {TOKENS.read_token(TOKENS.issue_token("ann", "viewer")[0]).token_id for _ in range(10)}

    assert len(ids) == 10


def test_an_expired_token_is_refused() -> None:
    past = Tokens(KEY, 60, lambda: time.time() - 120)

    assert reason(past.issue_token("ann", "viewer")[0]) == "expired"


def test_a_token_of_tomorrow_is_refused() -> None:
    tomorrow = Tokens(KEY, 60, lambda: time.time() + 86_400)

    assert reason(tomorrow.issue_token("ann", "viewer")[0]) == "not_yet_valid"


def test_clocks_that_differ_by_seconds_are_forgiven() -> None:
    ahead = Tokens(KEY, 60, lambda: time.time() + 3)

    assert TOKENS.read_token(ahead.issue_token("ann", "viewer")[0]).username == "ann"


def test_a_token_of_another_key_is_refused() -> None:
    assert reason(Tokens("another key", 60, time.time).issue_token("ann", "admin")[0]) == "bad_signature"


def test_a_token_of_the_previous_key_is_read_and_a_new_one_is_signed_with_the_new_key() -> None:
    rotated = Tokens("the key after it", 3600, time.time, [KEY])

    old, new = TOKENS.issue_token("ann", "viewer")[0], rotated.issue_token("ann", "viewer")[0]

    assert rotated.read_token(old).username == "ann"
    assert rotated.read_token(new).username == "ann"
    assert reason(new, TOKENS) == "bad_signature"


def test_a_process_that_will_sign_with_the_new_key_later_reads_its_tokens_already() -> None:
    before = Tokens(KEY, 3600, time.time, ["the key after it"])

    token, _ = Tokens("the key after it", 3600, time.time, [KEY]).issue_token("ann", "viewer")

    assert before.read_token(token).username == "ann"


def test_a_key_that_was_taken_out_is_good_for_nothing() -> None:
    assert (
        reason(TOKENS.issue_token("ann", "viewer")[0], Tokens("the key after it", 3600, time.time)) == "bad_signature"
    )


def test_the_header_names_the_key_and_gives_none_of_it_away() -> None:
    header = jwt.get_unverified_header(TOKENS.issue_token("ann", "viewer")[0])

    assert set(header) == {"alg", "kid", "typ"}
    assert header["kid"] not in KEY + TOKENS._key.hex()  # pyright: ignore[reportPrivateUsage] - nothing else has it


@pytest.mark.parametrize("key_id", ["", "../../etc/passwd", "' OR 1=1", "0" * 5_000])
def test_a_key_that_a_token_names_itself_is_not_looked_for(key_id: str) -> None:
    claims = jwt.decode(TOKENS.issue_token("ann", "admin")[0], options={"verify_signature": False})

    assert (
        reason(
            jwt.encode(claims, b"a key of the attacker's, and long enough", algorithm="HS256", headers={"kid": key_id})
        )
        == "bad_signature"
    )


def test_a_life_that_was_shortened_ends_tokens_that_are_out() -> None:
    issued, _ = Tokens(KEY, 86_400, lambda: time.time() - 7_200).issue_token("ann", "viewer")

    assert reason(issued, TOKENS) == "expired"


def test_a_changed_role_breaks_the_signature() -> None:
    head, body, signature = TOKENS.issue_token("ann", "viewer")[0].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    escalated = base64.urlsafe_b64encode(json.dumps(claims | {"role": "admin"}).encode()).decode().rstrip("=")

    assert reason(f"{head}.{escalated}.{signature}") == "bad_signature"


def test_an_unsigned_token_is_refused() -> None:
    claims = jwt.decode(TOKENS.issue_token("ann", "admin")[0], options={"verify_signature": False})

    assert reason(jwt.encode(claims, "", algorithm="none")) == "wrong_algorithm"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"aud": "another service"}, "wrong_audience"),
        ({"aud": ["supportapi", "another"]}, "wrong_audience"),
        ({"iss": "another service"}, "wrong_issuer"),
        ({"role": "owner"}, "unknown_role"),
        ({"role": None}, "incomplete"),
        ({"exp": None}, "incomplete"),
        ({"jti": None}, "incomplete"),
        ({"nbf": None}, "incomplete"),
        ({"exp": "tomorrow"}, "malformed"),
        ({"sub": 7}, "malformed"),
    ],
)
def test_a_token_that_says_something_else_is_refused(changes: dict[str, Any], expected: str) -> None:
    assert reason(forged(**changes)) == expected


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "x" * 10_000, "é.ü.ß", "null"])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert reason(token) == "malformed"


def test_a_developers_short_key_works_without_a_warning() -> None:
    tokens = Tokens("dev", 60, time.time)

    assert tokens.read_token(tokens.issue_token("ann", "viewer")[0]).username == "ann"
