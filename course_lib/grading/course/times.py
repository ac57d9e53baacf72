"""When something was handed in, as a file says it: an instant, or nothing.

nbgrader takes the abbreviation of a zone for one of this machine's, or for none: late work is on
time, or work in time is late, and by how much depends on where it is graded. It takes the offset
+0100 for a hundred seconds. Here a zone is an offset, UTC, or a name of the zone database.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from dateutil import parser

__all__ = ["EXAMPLES", "instant"]

#: What to write, for those who are told that they did not.
EXAMPLES = "2026-11-22 12:00:00 UTC or 2026-11-22 12:00:00 +0100"

_OFFSET = re.compile(r":\d\d(?:\.\d+)?\s*(([+-])(\d\d):?(\d\d)?)$")
_ZONE = re.compile(r"(?<![A-Za-z])([A-Za-z][A-Za-z_]*(?:[/+-]\w+)*)$")
_WORDS = re.compile(r"[A-Za-z]+")
_OF_DATES = re.compile(
    r"(am|pm|t|at|jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|mon|tues?|wed|thu(rs)?|fri"
    r"|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march"
    r"|april|august|september|october|november|december)",
    re.IGNORECASE,
)
# Names of the zone database's files that mean another zone on another machine, or none.
_NO_ZONES = frozenset(("localtime", "posixrules", "Factory"))


def instant(text: str) -> datetime:
    """Return the time that a text names, in UTC and without a zone, as nbgrader keeps it.

    Parameters
    ----------
    text : str
        A date, or a date and a time; without a zone it is in UTC.

    Raises
    ------
    ValueError
        If it names none, or a zone that several places go by, such as PST or IST.
    """
    head, zone = _parted(text.strip())
    strange = [word for word in _WORDS.findall(head) if not _OF_DATES.fullmatch(word)]
    if strange:
        raise ValueError(f"{strange[0]} is no part of a time")
    # What is not there would be taken from the default: a time needs its date.
    first, second = (
        parser.parse(head, default=default) for default in (datetime(2000, 1, 1), _OTHER)
    )
    if first != second:
        raise ValueError(f"{text!r} names no day")
    if first.tzinfo is not None:
        raise ValueError(f"{text!r} has a zone in its midst")
    return first.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


_OTHER = datetime(2004, 2, 2)


def _parted(text: str) -> tuple[str, tzinfo]:
    """Return what stands before the zone, and the zone."""
    offset = _OFFSET.search(text)
    if offset:
        size = timedelta(hours=int(offset[3]), minutes=int(offset[4] or 0))
        return text[: offset.start(1)], timezone(-size if offset[2] == "-" else size)
    named = _ZONE.search(text)
    if named is None or _OF_DATES.fullmatch(named[1]):
        return text, UTC
    name, head = named[1], text[: named.start()]
    if name.upper() in ("Z", "UTC", "GMT"):
        return head, UTC
    if name in _NO_ZONES:
        raise ValueError(f"{name} is no zone of its own")
    try:
        return head, ZoneInfo(name)
    except (KeyError, OSError) as error:
        raise ValueError(f"{name} is no name of the zone database's") from error
