"""A format that a file may have, and the code that reads files of this format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pyspark_logs.errors import OptionError
from pyspark_logs.schema import parse_ddl

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Candidate:
    """A format that a file may have.

    Attributes:
        options: options that read the format, for ``spark.read.format("logs").options(**...)``: ``{"preset": "aws_alb"}``.
        records: number of records in the sample, as the format delimits them.
        matched: number of records that match.
        specificity: average amount that the columns tell about a record. Timestamps count most, then numbers, words, prose.
        schema: columns as Spark DDL.
        path: path of the files.
        given: other options that the caller gave, without credentials.
    """

    options: Mapping[str, str]
    records: int
    matched: int
    specificity: float
    schema: str
    path: str = ""
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return parse_ddl(self.schema).names

    @property
    def share(self) -> float:
        """Share of the records that match, from 0 to 1."""
        return self.matched / self.records

    @property
    def name(self) -> str:
        """Description of the options: ``preset aws_alb``, ``template {a} {b}, multiLine``."""
        return ", ".join(name if value == "true" else f"{name} {value}" for name, value in self.options.items())

    def code(self, language: str = "python") -> str:
        r"""Returns code that reads the files: ``python`` (a Spark DataFrame), ``sql`` (a Spark view) or ``scan`` (no Spark).

        The code has the options of the format and those that were given to ``detect``, except credentials.

        Raises:
            OptionError: the language is another one.

        >>> print(Candidate({"preset": "aws_alb"}, 1, 1, 9.0, "time timestamp", "s3://acme/alb").code())
        df = (
            spark.read.format("logs")
            .option("preset", "aws_alb")
            .load("s3://acme/alb")
        )
        """
        render = _LANGUAGES.get(language)
        if render is None:
            raise OptionError(f"code() writes {', '.join(_LANGUAGES)}, not {language!r}")
        return render(self.path, {**self.given, **self.options})


def _spark_code(path: str, options: Mapping[str, str]) -> str:
    calls = [f"    .option({_quoted(name)}, {_quoted(value)})" for name, value in options.items()]
    return "\n".join(["df = (", '    spark.read.format("logs")', *calls, f"    .load({_quoted(path)})", ")"])


def _scan_code(path: str, options: Mapping[str, str]) -> str:
    arguments = [f"    {name}={_quoted(value)}," for name, value in options.items()]
    call = ["reader = pyspark_logs.scan(", f"    {_quoted(path)},", *arguments, ")"]
    return "\n".join(["import pyspark_logs", "", *call, "for batch in reader:", "    print(batch.num_rows)"])


def _sql_code(path: str, options: Mapping[str, str]) -> str:
    lines = [f"  {_sql_quoted(name)} {_sql_quoted(value)}" for name, value in {**options, "path": path}.items()]
    return "CREATE OR REPLACE TEMPORARY VIEW log_records\nUSING logs\nOPTIONS (\n" + ",\n".join(lines) + "\n)"


_LANGUAGES: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "python": _spark_code,
    "sql": _sql_code,
    "scan": _scan_code,
}
LANGUAGES = tuple(_LANGUAGES)


def _quoted(text: str) -> str:
    """Returns a text as a string literal of Python and of Spark's SQL, with printable characters only."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _sql_quoted(text: str) -> str:
    """Returns a text as a string literal of Spark's SQL, which replaces variables such as ``${name}`` also within literals.

    Source: ``org.apache.spark.sql.internal.VariableSubstitution``; the escapes are those of
    https://spark.apache.org/docs/latest/sql-ref-literals.html#string-literal.
    """
    inner = "".join("\\'" if char == "'" else char if char == '"' else _escaped(char) for char in text)
    return "'" + inner.replace("${", "\\u0024{") + "'"


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 1 << 16 else f"\\U{ord(char):08x}"
