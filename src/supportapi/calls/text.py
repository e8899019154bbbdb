"""What a source wrote, as text: trimmed, null where it says that nothing is known, mended where it must be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

_INVISIBLE: Final = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_BLANKS: Final = " \t\r\n\x0b\x0c\x85\u00a0\u2007\u202f\u3000" + _INVISIBLE
"""What is cut off at both ends: blanks of any width, also of none."""
_CASES: Final = (str.lower, str.upper, str.capitalize, str.title)


def text_of(column: str, found: pl.DataType, null_words: Sequence[str]) -> pl.Expr:
    """A source column of any type as text without blanks around it; blank text and null words are null.

    Typed times become ISO 8601, lengths of time `h:mm:ss`, whole numbers lose their `.0`.
    """
    text = _typed_text(pl.col(column), found).str.strip_chars(_BLANKS)
    # Every spelling at once: to change the case of every value would take ten times as long as to compare it.
    nothing = {"", *(spelling for word in null_words for spelling in (word, *(case(word) for case in _CASES)))}
    return pl.when(~text.is_in(sorted(nothing))).then(text)


def mended(text: pl.Expr) -> pl.Expr:
    """Text for a second attempt at reading it: plain digits, signs and blanks instead of wide, thin and invisible ones.

    Only for values that could not be read as they are: to do this to every value would take longer than the reading.
    """
    plain = text.str.normalize("NFKC").str.replace_all(f"[{_INVISIBLE}]", "")
    return plain.str.replace_all("[\u2212\u2013]", "-").str.replace_all(r"\s+", " ")


def _typed_text(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    if found == pl.String:
        return value
    if isinstance(found, pl.Datetime):
        zoned = found.time_zone is not None
        moment = (value.dt.convert_time_zone("UTC") if zoned else value).dt.cast_time_unit("us")
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ" if zoned else "%Y-%m-%d %H:%M:%S%.f")
    if isinstance(found, pl.Duration):
        return _clock_text((value.dt.total_microseconds() + 500) // 1000)
    if found.is_float():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).when(value.is_finite()).then(value.cast(pl.String))
    return pl.lit(None, dtype=pl.String) if found.is_nested() else value.cast(pl.String)


def _clock_text(milliseconds: pl.Expr) -> pl.Expr:
    whole_seconds, thousandths = milliseconds // 1000, (milliseconds % 1000).cast(pl.String).str.zfill(3)
    fraction = pl.when(milliseconds % 1000 != 0).then("." + thousandths).otherwise(pl.lit(""))
    rest = [(whole_seconds // step % 60).cast(pl.String).str.zfill(2) for step in (60, 1)]
    return pl.concat_str([(whole_seconds // 3600).cast(pl.String), *rest], separator=":") + fraction
