r"""Patterns that others are made of: words, numbers, names of machines, paths, times.

They mean what the patterns of these names mean in Logstash (``logstash-patterns-core``), written for RE2, which has
neither look-around nor atomic groups. What differs for that:

- A number, or an address, is kept whole behind ``.*``, ``%{GREEDYDATA}`` and ``.+``. Behind other text that could take
  its first digits it is not (``\d*%{NUMBER}``).
- Having found a number, a pattern may still go back to a shorter one, if nothing else matches: ``%{NUMBER}\.5``
  matches ``12.5``.
- An IPv4 address ends where a word does; a digit may follow the seconds of a time.
- The zone of an IPv6 address (``%eth0``) is a word; labels of host names may be longer than 63 characters.
"""

from __future__ import annotations

from pyspark_logs.formats.regex.grok_pattern import Pattern

_HEX4 = "[0-9A-Fa-f]{1,4}"


def _ipv6() -> str:
    """RFC 4291, 2.2: eight groups; once, ``::`` for any number of them; an IPv4 address for the last two."""
    octets = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    found = f"(?:{_HEX4}|:)"
    for there in range(6, 0, -1):
        # So many groups have been read, each with its colon: one more, or "::" in place of the others.
        behind = f"(?::{_HEX4}){{1,{7 - there}}}"
        mixed = f"(?::{_HEX4}){{0,{5 - there}}}:{octets}" if there < 6 else octets
        found = f"(?:{_HEX4}:{found}|{mixed}|{behind}|:)"
    start = f":(?:(?::{_HEX4}){{0,5}}:{octets}|(?::{_HEX4}){{1,7}}|:)"
    return f"(?:{_HEX4}:{found}|{start})(?:%[0-9A-Za-z._~-]+)?"


def _alternatives(words: str) -> str:
    return "(?:" + "|".join(words.split()) + ")"


_LEVELS = (
    "[Aa]lert ALERT [Tt]race TRACE [Dd]ebug DEBUG [Nn]otice NOTICE [Ii]nfo?(?:rmation)? INFO?(?:RMATION)?"
    " [Ww]arn?(?:ing)? WARN?(?:ING)? [Ee]rr?(?:or)? ERR?(?:OR)? [Cc]rit?(?:ical)? CRIT?(?:ICAL)? [Ff]atal FATAL"
    " [Ss]evere SEVERE EMERG(?:ENCY)? [Ee]merg(?:ency)?"
)
_MONTHS = (
    "[Jj]an(?:uary|uar)? [Ff]eb(?:ruary|ruar)? [Mm](?:a|ä)?r(?:ch|z)? [Aa]pr(?:il)? [Mm]a(?:y|i)? [Jj]un(?:e|i)?"
    " [Jj]ul(?:y|i)? [Aa]ug(?:ust)? [Ss]ep(?:tember)? [Oo](?:c|k)?t(?:ober)? [Nn]ov(?:ember)? [Dd]e(?:c|z)(?:ember)?"
)
_DAYS = "Mon(?:day)? Tue(?:sday)? Wed(?:nesday)? Thu(?:rsday)? Fri(?:day)? Sat(?:urday)? Sun(?:day)?"
_LOCAL = r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]"

# fmt: off
WORDS = (
    Pattern("USERNAME", "letters, digits, `.`, `_` and `-`", r"[a-zA-Z0-9._-]+"),
    Pattern("USER", "the same", r"%{USERNAME}"),
    Pattern("EMAILLOCALPART", "what stands before the `@` of an address", rf"{_LOCAL}+(?:\.{_LOCAL}+)*"),
    Pattern("EMAILADDRESS", "an e-mail address", r"%{EMAILLOCALPART}@%{HOSTNAME}"),
    Pattern("INT", "a whole number, perhaps with a sign", r"[+-]?[0-9]+"),
    Pattern("BASE10NUM", "a decimal number, perhaps with a sign and a fraction", r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)", "0-9.+-"),
    Pattern("NUMBER", "the same", r"%{BASE10NUM}"),
    Pattern("BASE16NUM", "a hexadecimal number, perhaps with a sign and `0x`", r"[+-]?(?:0x)?[0-9A-Fa-f]+", "0-9A-Fa-f"),
    Pattern("BASE16FLOAT", "a hexadecimal number, perhaps with a fraction", r"\b[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)\b", "0-9A-Fa-f."),
    Pattern("POSINT", "a whole number above zero", r"\b[1-9][0-9]*\b"),
    Pattern("NONNEGINT", "digits", r"\b[0-9]+\b"),
    Pattern("WORD", "letters, digits and `_`", r"\b\w+\b"),
    Pattern("NOTSPACE", "anything without white space", r"\S+"),
    Pattern("SPACE", "white space, perhaps none", r"\s*"),
    Pattern("DATA", "anything, as little as possible", r".*?"),
    Pattern("GREEDYDATA", "anything, as much as possible", r".*"),
    Pattern("QUOTEDSTRING", "a text in double, single or back quotes, quotes included; a backslash escapes",
      r"""(?:"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*'|`(?:\\.|[^\\`])*`)""", r"\\"),
    Pattern("QS", "the same", r"%{QUOTEDSTRING}"),
    Pattern("UUID", "a UUID", r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"),
    Pattern("URN", "a URN (RFC 2141)", r"urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:(?:%[0-9a-fA-F]{2}|[0-9A-Za-z()+,.:=@;$_!*'/?#-])+"),
    Pattern("LOGLEVEL", "a severity: `INFO`, `warning`, `Err`, `CRITICAL` ...", _alternatives(_LEVELS)),
)

NETWORK = (
    Pattern("CISCOMAC", "a MAC address as `0011.2233.4455`", r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"),
    Pattern("WINDOWSMAC", "a MAC address as `00-11-22-33-44-55`", r"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}"),
    Pattern("COMMONMAC", "a MAC address as `00:11:22:33:44:55`", r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"),
    Pattern("MAC", "any of these", r"%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}"),
    Pattern("IPV6", "an IPv6 address, perhaps with a zone", _ipv6()),
    Pattern("IPV4", "an IPv4 address", r"(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})\b", "0-9"),
    Pattern("IP", "either", r"%{IPV6}|%{IPV4}"),
    Pattern("HOSTNAME", "a host name", r"\b[0-9A-Za-z][0-9A-Za-z-]*(?:\.[0-9A-Za-z][0-9A-Za-z-]*)*\.?"),
    Pattern("HOST", "the same", r"%{HOSTNAME}"),
    Pattern("IPORHOST", "an address or a host name", r"%{IP}|%{HOSTNAME}"),
    Pattern("HOSTPORT", "`host:port`", r"%{IPORHOST}:%{POSINT}"),
    Pattern("URIPROTO", "the scheme of a URI", r"[A-Za-z][A-Za-z0-9+.-]+"),
    Pattern("URIHOST", "`host` or `host:port`; gives `port`", r"%{IPORHOST}(?::%{POSINT:port})?"),
    Pattern("URIPATH", "the path of a URI", r"(?:/[A-Za-z0-9$.+!*'(){},~:;=@#%&_-]*)+"),
    Pattern("URIQUERY", "the query of a URI, without `?`", r"[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*"),
    Pattern("URIPARAM", "the query of a URI, with `?`", r"\?%{URIQUERY}"),
    Pattern("URIPATHPARAM", "path and query of a URI", r"%{URIPATH}(?:%{URIPARAM})?"),
    Pattern("URI", "a URI; gives `port`", r"%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"),
)

PATHS = (
    Pattern("UNIXPATH", "an absolute path of Unix", r"(?:/(?:[\p{L}\p{N}_%!$@:.,+~-]|\\.)*)+"),
    Pattern("WINPATH", "an absolute path of Windows", r"(?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+"),
    Pattern("PATH", "either", r"%{UNIXPATH}|%{WINPATH}"),
    Pattern("TTY", "a terminal: `/dev/pts/1`, `/dev/tty0`", r"/dev/(?:pts|tty[pq]?)\w*/?[0-9]+"),
)

TIMES = (
    Pattern("MONTH", "the name of a month, English or German, short or long", rf"\b{_alternatives(_MONTHS)}\b"),
    Pattern("MONTHNUM", "a month as 1 to 12, perhaps with a zero", r"0?[1-9]|1[0-2]"),
    Pattern("MONTHNUM2", "a month as 01 to 12", r"0[1-9]|1[0-2]"),
    Pattern("MONTHDAY", "a day as 1 to 31, perhaps with a zero", r"0[1-9]|[12][0-9]|3[01]|[1-9]"),
    Pattern("DAY", "the name of a day of the week", _alternatives(_DAYS)),
    Pattern("YEAR", "two or four digits", r"[0-9]{2}(?:[0-9]{2})?"),
    Pattern("HOUR", "0 to 23, perhaps with a zero", r"2[0-3]|[01]?[0-9]"),
    Pattern("MINUTE", "00 to 59", r"[0-5][0-9]"),
    Pattern("SECOND", "0 to 60, perhaps with a fraction", r"(?:60|[0-5]?[0-9])(?:[:.,][0-9]+)?"),
    Pattern("TIME", "`HH:MM:SS`, perhaps with a fraction", r"%{HOUR}:%{MINUTE}:%{SECOND}"),
    Pattern("DATE_US", "`MM/DD/YYYY`, with `/` or `-`", r"%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"),
    Pattern("DATE_EU", "`DD.MM.YYYY`, with `.`, `/` or `-`", r"%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"),
    Pattern("DATE", "either", r"%{DATE_US}|%{DATE_EU}"),
    Pattern("DATESTAMP", "such a date, `-` or a space, and a time", r"%{DATE}[- ]%{TIME}"),
    Pattern("ISO8601_TIMEZONE", "`Z`, `+HH:MM` or `+HHMM`", r"Z|[+-]%{HOUR}:?%{MINUTE}"),
    Pattern("ISO8601_SECOND", "0 to 60, perhaps with a fraction", r"%{SECOND}"),
    Pattern("TIMESTAMP_ISO8601", "an ISO 8601 time, with `T` or a space", r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?"),
    Pattern("TIMESTAMP_CN", "`YYYY-MM-DD HH:MM:SS.mmm`", r"%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND}\.[0-9]{3}"),
    Pattern("TZ", "a zone: `UTC`, `EST`, `PDT` ...", r"[APMCE][SD]T|UTC"),
    Pattern("DATESTAMP_RFC822", "`Mon Jan 02 2006 15:04:05 EST`", r"%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"),
    Pattern("DATESTAMP_RFC2822", "`Mon, 02 Jan 2006 15:04:05 +0100`", r"%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"),
    Pattern("DATESTAMP_OTHER", "`Mon Jan 02 15:04:05 EST 2006`", r"%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"),
    Pattern("DATESTAMP_EVENTLOG", "`20060102150405`", r"%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}"),
    Pattern("HTTPDATE", "`02/Jan/2006:15:04:05 +0100`", r"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"),
    Pattern("SYSLOGTIMESTAMP", "`Jan  2 15:04:05`", r"%{MONTH} +%{MONTHDAY} %{TIME}"),
)
# fmt: on

CORE = (*WORDS, *NETWORK, *PATHS, *TIMES)
