"""What there is to see in one column of a source: its header in plain words, its values, and how many there are."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from supportapi.calls.clean import FAULT, ROW
from supportapi.calls.suggest.tongues import in_english
from supportapi.calls.text import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

NULL_WORDS: Final = frozenset({
    "n/a", "na", "#n/a", "null", "(null)", "nil", "none", "nan", "-", "--", "---", "\u2013", "\u2014", "?", ".",
    "unknown", "(blank)", "not available", "not applicable", "undefined", "unbekannt", "k.a.", "inconnu",
    "desconocido", "desconhecido", "\\n", "<null>", "нет данных",
})  # fmt: skip
_MANY: Final = 50
_CAMEL: Final = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"[^\W_]+|[%#]")


class Seen(msgspec.Struct, frozen=True):
    """One column: `texts` row by row, null where nothing is known; `values` and how often each of them occurs."""

    name: str
    header: str
    texts: pl.Series
    values: pl.DataFrame
    null_words: tuple[str, ...]
    typed: bool
    """Whether the file itself says that these are times or numbers."""

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return len(self.texts)

    @property
    def known(self) -> int:
        """How many rows have a value."""
        return self.rows - self.texts.null_count()

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return self.values.height

    @property
    def words(self) -> dict[str, int]:
        """The most frequent values, most frequent first."""
        return dict(self.values.head(_MANY).iter_rows())

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.known == self.rows and self.distinct == self.rows

    def reads(self, test: pl.Expr) -> int:
        """In how many rows the value (`pl.col("value")`) passes `test`."""
        return int(self.values.filter(test)["count"].sum())

    def matches(self, pattern: str) -> float:
        """The share of known values that match `pattern` from start to end."""
        return self.reads(pl.col("value").str.contains(f"^(?:{pattern})$")) / self.known if self.known else 0.0

    def examples(self, count: int = 3) -> str:
        """A few of its values, for a remark."""
        told = [value if len(value) <= _MANY else f"{value[:_MANY]}…" for value in self.values["value"].head(count)]
        return ", ".join(" ".join(value.split()) for value in told)

    def without(self, null_words: tuple[str, ...]) -> Seen:
        """The column with further words that mean "not known"."""
        texts = self.texts.to_frame("value").select(pl.when(~pl.col("value").is_in(list(null_words))).then("value"))
        values = self.values.filter(~pl.col("value").is_in(list(null_words)))
        return msgspec.structs.replace(
            self, texts=texts["value"], values=values, null_words=(*self.null_words, *null_words)
        )


def columns_seen(frame: pl.DataFrame) -> list[Seen]:
    """Every source column of `frame`; the usual words for "not known" are taken as that, and named."""
    names = [name for name in frame.columns if name not in {ROW, FAULT}]
    return [_seen(frame[name], _wrapper(names)) for name in names]


def _wrapper(names: list[str]) -> str:
    """What most names of nested fields begin with: the record's own name there, which says nothing of the fields."""
    outer = Counter(name.partition(".")[0] for name in names if "." in name)
    name, count = max(outer.items(), key=lambda pair: pair[1], default=("", 0))
    return f"{name}." if count * 2 > len(names) else ""


def _seen(column: pl.Series, wrapper: str) -> Seen:
    found = column.dtype
    texts = column.to_frame().select(text_of(column.name, found, ()).alias("value"))["value"]
    values = texts.drop_nulls().value_counts(sort=True).sort(["count", "value"], descending=[True, False])
    whole = Seen(column.name, plain_header(column.name.removeprefix(wrapper)), texts, values, (), found != pl.String)
    nulls = tuple(word for word in values["value"] if word.lower() in NULL_WORDS)
    return whole.without(nulls) if nulls else whole


def plain_header(name: str) -> str:
    """A header for comparing: lower case, no accents, words apart, in English: `Dauer (Sek)` is `duration seconds`."""
    apart = unicodedata.normalize("NFKD", _CAMEL.sub(" ", name).replace("ß", "ss").replace("°", "o"))
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign)).lower()
    return in_english(" ".join(_WORD.findall(plain)))


def best(columns: list[Seen], score: Callable[[Seen], int]) -> list[Seen]:
    """The columns with a score, best first; of equals the one with more values, then the one further left."""
    scored = [(score(column), column) for column in columns]
    ordered = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], -pair[1].known))
    return [column for _, column in ordered]


def told(count: int, total: int) -> str:
    """`all 5,000` or `4,998 of 5,000`, for evidence."""
    return f"all {total:,}" if count == total else f"{count:,} of {total:,}"
