from __future__ import annotations

from supportapi.api.answer import Answer, accepts_gzip, tag_of
from supportapi.api.hot import HotAnswers

BODY = b"x" * 8_000


def answer(body: bytes = BODY) -> Answer:
    return Answer(body, "t", route="/r", source="rollup", version="v")


def kept(hot: HotAnswers, count: int) -> list[int]:
    return [number for number in range(count) if hot.find(("", "/r", b"%d" % number)) is not None]


def test_answers_stay_within_their_budget() -> None:
    hot = HotAnswers(budget_bytes=100_000)

    for number in range(1_000):
        hot.keep(("", "/r", b"%d" % number), answer())

    assert 0 < len(hot) < 20
    assert hot.bytes <= 100_000
    assert kept(hot, 1_000) == list(range(1_000 - len(hot), 1_000))


def test_what_is_asked_for_again_outlives_what_is_not() -> None:
    hot = HotAnswers(budget_bytes=100_000)
    wanted = answer()
    hot.keep(("", "/r", b"wanted"), wanted)

    for number in range(100):
        wanted.used = True
        hot.keep(("", "/r", b"%d" % number), answer())

    assert hot.find(("", "/r", b"wanted")) is wanted


def test_prepared_answers_are_never_pushed_out() -> None:
    hot = HotAnswers(budget_bytes=30_000)
    hot.keep(("", "/r", b"prepared"), answer(), prepared=True)

    for number in range(100):
        hot.keep(("", "/r", b"%d" % number), answer())

    assert hot.find(("", "/r", b"prepared")) is not None
    assert len(hot) <= 3


def test_spellings_go_with_their_answer_and_are_bounded() -> None:
    hot = HotAnswers(budget_bytes=30_000)
    hot.keep(("", "/r", b"a"), answer())
    for number in range(100):
        hot.alias(("", "/r", b"a"), ("", "/r", b"a&n=%d" % number))
    assert hot.find(("", "/r", b"a&n=3")) is not None
    assert hot.find(("", "/r", b"a&n=99")) is None

    for number in range(10):
        hot.keep(("", "/r", b"%d" % number), answer())

    assert hot.find(("", "/r", b"a&n=3")) is None
    assert hot.bytes <= 30_000


def test_spellings_of_a_question_that_is_ready_again_are_known_at_once() -> None:
    earlier, hot = HotAnswers(budget_bytes=100_000), HotAnswers(budget_bytes=100_000)
    ready = answer()
    for name in (b"a", b"b"):
        earlier.keep(("", "/r", name), answer())
        earlier.alias(("", "/r", name), ("", "/r", b"spelled=" + name))
    hot.keep(("", "/r", b"a"), ready, prepared=True)

    hot.learn(earlier)

    assert hot.find(("", "/r", b"spelled=a")) is ready
    assert hot.find(("", "/r", b"spelled=b")) is None


def test_an_answer_larger_than_the_budget_is_not_kept() -> None:
    hot = HotAnswers(budget_bytes=1_000)

    hot.keep(("", "/r", b""), answer())

    assert (len(hot), hot.bytes) == (0, 0)


def test_a_small_answer_is_not_compressed() -> None:
    reply = answer(b"{}").reply({b"accept-encoding": b"gzip"})

    assert reply.body == b"{}"


def test_any_matching_tag_is_unchanged() -> None:
    found = answer()

    statuses = [
        found.reply({b"if-none-match": sent}).status
        for sent in (b'"t"', b'"t-gz"', b'W/"t"', b'"x", "t"', b"*", b'"x"', b"t")
    ]

    assert statuses == [304, 304, 304, 304, 304, 200, 200]


def test_what_gzip_means() -> None:
    offers = [b"", b"gzip", b"br, gzip;q=0.5", b"gzip;q=0", b"*", b"*;q=0", b"identity", b"GZIP", b"gzip; q=0.0"]

    assert [accepts_gzip(offer) for offer in offers] == [False, True, True, False, True, False, False, True, False]


def test_a_tag_names_scope_version_freshness_path_and_question() -> None:
    tags = {
        tag_of("", "v", None, "/p", "q"),
        tag_of("", "w", None, "/p", "q"),
        tag_of("", "v", "build_failed", "/p", "q"),
        tag_of("", "v", None, "/r", "q"),
        tag_of("", "v", None, "/p", "r"),
        tag_of('["north"]', "v", None, "/p", "q"),
    }

    assert len(tags) == 6
