"""Values that are nobody's: placeholders that programs and forms send in place of an id."""

from __future__ import annotations

import re
from typing import Final

WORDS: Final = frozenset(
    {
        "", "-1", "none", "null", "nil", "nan", "n/a", "na", "undefined", "unknown", "anonymous", "anon", "guest", "visitor", "user",
        "customer", "id", "userid", "user_id", "distinctid", "distinct_id", "anonymousid", "anonymous_id", "deviceid", "device_id",
        "email", "phone", "true", "false", "not_authenticated", "unauthenticated", "not set", "(not set)", "not_set", "test", "default",
        "object object", "[object object]", "{}", "[]",
        "test@test.com", "test@example.com", "email@example.com", "user@example.com", "name@example.com", "a@a.com", "abc@abc.com",
        "example@example.com", "none@none.com", "no@email.com", "noemail@noemail.com", "na@na.com", "asdf@asdf.com",
        # what phones answer where the identifier is switched off, and a well-known device number that many emulators share
        "00000000-0000-0000-0000-000000000000", "9774d56d682e549c",
    }
)  # fmt: skip
REPEATED: Final = 8
"""So many times the same character is no id; `1111` may be the number of a customer."""
QUOTES: Final = "\"'`´‘’“”"
NOTHING: Final = r"[0\-_. ]*"
JOINTS: Final = r"[\-_. :]"


def folded(value: str) -> str:
    """As values are compared with those that are blocked.

    >>> folded(" 'NULL' ")
    'null'
    """
    return value.strip().strip(QUOTES).strip().casefold()


def is_blocked(value: str, more: frozenset[str] = frozenset()) -> bool:
    """
    >>> [text for text in ("0", "u1", "NaN", "00000000-0000-0000", "1111", "xxxxxxxx") if is_blocked(text)]
    ['0', 'NaN', '00000000-0000-0000', 'xxxxxxxx']
    """
    text = folded(value)
    if text in WORDS or text in more or re.fullmatch(NOTHING, text):
        return True
    bare = re.sub(JOINTS, "", text)
    return len(bare) >= REPEATED and len(set(bare)) == 1
