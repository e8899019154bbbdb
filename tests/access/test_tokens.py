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
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm="HS256")


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


def test_a_changed_role_breaks_the_signature() -> None:
    head, body, signature = TOKENS.issue_token("ann", "viewer")[0].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    escalated = base64.urlsafe_b64encode(json.dumps(claims | {"role": "admin"}).encode()).decode().rstrip("=")

    assert reason(f"{head}.{escalated}.{signature}") == "bad_signature"


def test_an_unsigned_token_is_refused() -> None:
    claims = jwt.decode(TOKENS.issue_token("ann", "admin")[0], options={"verify_signature": False})

    assert reason(jwt.encode(claims, None, algorithm="none")) == "wrong_algorithm"


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
