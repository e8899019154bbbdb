"""Where `clean` keeps what it needs on the way from a text to a value: prefixes of column names."""

TEXT, ZONE, FLAG = "__text:", "__zone:", "__flag:"
INSTANT_OF, CLOCK, NUMBER_OF, REST = "__instant:", "__clock:", "__number:", "__rest:"
