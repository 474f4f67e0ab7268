"""The tokens of JSON, and what people write in their place."""

from __future__ import annotations

import re
from decimal import Context, Decimal

from ftprep.later import later

BLANK = re.compile(r"[ \t\r\n]*+")
# Possessive repeats only over what cannot backtrack: Python before 3.11.5 gets the others wrong (gh-106052).
OPEN_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
UNSOUND = re.compile(r"[\x00-\x1f]|\\(?:[^\x00-\x1fu]|u[0-9a-fA-F]{0,4})", re.DOTALL)
ESCAPES = frozenset('"\\/bfnrt')
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.+-])")
WORD = re.compile(r"(?:true|false|null)(?!\w)")
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
_EXACT_DIGITS = 767
"""So many digits write any double exactly (IEEE 754), so that a literal with more of them is none."""

MAX_INT_DIGITS = 4300
"""Longer integers are refused by Python itself (sys.set_int_max_str_digits), as they cost quadratic time."""

# What people write where JSON wants something else: how it begins, code, what to say ({} is what was found).
MISTAKES = [
    (later(pattern), code, words)
    for pattern, code, words in (
        (r"'", "IO104", "single quotes; JSON wants double quotes (a Python dict? use json.dumps)"),
        (r"[“”„‟«»‘’‚`´＂]", "IO104", 'the quotation mark {}; JSON wants the straight double quote "'),
        (
            r"(?:[-+]?(?:NaN|Infinity|Inf|inf)|nan)(?!\w)",
            "IO106",
            "{} is not a JSON number; write null or leave it out",
        ),
        (r"(?:True|False|None)(?!\w)", "IO104", "{} is Python, not JSON (use json.dumps)"),
        (r"(?:TRUE|FALSE|NULL|undefined)(?!\w)", "IO104", "{} is not JSON; write true, false or null"),
        (r"//|/\*|#", "IO104", "a comment; JSON has none"),
        (r"-?0[0-9]+", "IO104", "the number {} starts with a zero; as text it stands in double quotes"),
        (r"\+[0-9.]+|-?\.[0-9]+|-?[0-9]+\.(?![0-9])", "IO104", "{} is not how JSON writes a number"),
        (r"-?[0-9][\w.+-]*", "IO104", "{} is not a number; text stands in double quotes"),
        (r"[^\W\d]\w*", "IO104", "the bare word {}; text stands in double quotes"),
    )
]
CONTROLS = {"\t": "a raw tab inside a string; write \\t", "\n": "a raw line break inside a string; write \\n"}
CONTROLS["\r"] = "a raw carriage return inside a string; write \\r"


def loses_digits(literal: str) -> bool:
    """Whether a literal holds digits that its double does not: the double, rounded to as many, is another number."""
    value = float(literal)
    mantissa = re.split("[eE]", literal)[0].replace(".", "").strip("-").strip("0")
    if not mantissa or value in (0.0, float("inf"), float("-inf")):
        return bool(mantissa)
    if len(mantissa) > _EXACT_DIGITS:
        return True
    context = Context(prec=2 * _EXACT_DIGITS + len(literal))  # enough for all of the following to be exact
    said, kept = context.normalize(Decimal(literal)), Decimal(value)
    last_digit = Decimal((0, (1,), int(said.as_tuple().exponent)))
    return context.multiply(context.abs(context.subtract(kept, said)), Decimal(2)) > last_digit
