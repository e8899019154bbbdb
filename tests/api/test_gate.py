from __future__ import annotations

import time

import pytest

from supportapi.access.principal import EVERYONE, Principal
from supportapi.api.gate import COOKIE, Gate, read_headers
from supportapi.errors import Unauthenticated


class Register:
    """Knows one token, and counts how often it was asked."""

    def __init__(self, seconds: float = 60) -> None:
        self.asked = 0
        self.expires = time.time() + seconds

    def verify(self, token: str) -> tuple[Principal, float]:
        self.asked += 1
        if token != "good":
            raise Unauthenticated("no")
        return Principal("anna", "viewer", self.expires, "its id"), self.expires


def test_a_token_is_verified_once() -> None:
    register = Register()
    gate = Gate(register.verify)

    names = [gate.admit({b"authorization": b"Bearer good"}).username for _ in range(5)]

    assert (names, register.asked) == (["anna"] * 5, 1)


def test_a_memory_never_outlives_its_token() -> None:
    register = Register(seconds=-1)
    gate = Gate(register.verify)
    gate.admit({b"authorization": b"bearer good"})

    assert gate.remembered({b"authorization": b"bearer good"}, time.perf_counter()) is None


def test_what_was_refused_is_not_remembered() -> None:
    gate = Gate(Register().verify)

    with pytest.raises(Unauthenticated):
        gate.admit({b"authorization": b"Bearer bad"})

    assert gate.remembered({b"authorization": b"Bearer bad"}, time.perf_counter()) is None


def test_nobody_is_remembered_for_no_credential() -> None:
    gate = Gate(Register().verify)

    with pytest.raises(Unauthenticated):
        gate.admit({})

    assert gate.remembered({}, time.perf_counter()) is None


def test_the_header_goes_before_the_cookie() -> None:
    gate = Gate(Register().verify)

    with pytest.raises(Unauthenticated):
        gate.admit({b"authorization": b"Bearer bad", b"cookie": f"{COOKIE}=good".encode()})

    assert gate.admit({b"cookie": f"theme=dark; {COOKIE}=good".encode()}).username == "anna"


def test_the_memory_is_bounded() -> None:
    gate = Gate(Register().verify)

    for number in range(5_000):
        gate.admit({b"cookie": f"n={number}; {COOKIE}=good".encode()})

    now = time.perf_counter()
    first, last = (gate.remembered({b"cookie": f"n={number}; {COOKIE}=good".encode()}, now) for number in (0, 4_999))
    assert first is None
    assert last is not None


def test_a_token_that_was_signed_out_is_forgotten_and_no_other() -> None:
    gate = Gate(Register().verify)
    gate.admit({b"authorization": b"Bearer good"})

    gate.forget({"another"})
    after_another = gate.remembered({b"authorization": b"Bearer good"}, time.perf_counter())
    gate.forget({"its id"})

    assert after_another is not None
    assert gate.remembered({b"authorization": b"Bearer good"}, time.perf_counter()) is None


def test_everyone_is_let_in_where_authentication_is_off() -> None:
    gate = Gate(Register().verify, EVERYONE)

    assert gate.admit({}).role == "admin"


def test_cookies_that_http2_split_are_joined() -> None:
    headers = read_headers([(b"cookie", b"a=1"), (b"host", b"h"), (b"cookie", b"b=2")])

    assert headers[b"cookie"] == b"a=1; b=2"
