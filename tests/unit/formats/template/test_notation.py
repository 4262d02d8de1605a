"""A template that cannot be meant is refused in words that say what to write, and where."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.template.foreign_notation import refuse_foreign_notation
from pyspark_logs.formats.template.notation import make_template, parse_template
from pyspark_logs.formats.template.segments import Blanks, Field, Following, Group, Literal, RightBound, Template
from pyspark_logs.formats.timestamps.parsing import TimestampContext, compile_pattern
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.nested import ListOf
from pyspark_logs.formats.types.numeric import DecimalNumber, Integer
from pyspark_logs.formats.types.temporal import Epoch, Timestamp
from pyspark_logs.formats.types.text import Text
from tests.reference import templates as reference
from tests.reference.test_templates import REFUSED


def test_notation_becomes_segments() -> None:
    template = parse_template("{{[{a:int?}]{~}{}{? x={b:list(})}{?{~}{c}?}?}")
    assert template.segments == (
        Literal("{["),
        Field("a", Integer(32), nullable=True),
        Literal("]"),
        Blanks(),
        Field(None, Text()),
        Group((Literal(" x="), Field("b", ListOf("}")), Group((Blanks(), Field("c", Text()))))),
    )


def test_a_template_is_made_of_segments_with_the_same_checks() -> None:
    a, b = Field("a", Text()), Field("b", Text())
    template = make_template(
        "%a%b", [Literal("x"), Literal(""), Literal("y"), a, Group((Literal("["), Literal("]"), b))]
    )
    assert template == Template("%a%b", (Literal("xy"), a, Group((Literal("[]"), b))))
    for segments, says in [
        ([a, b], "template '%a%b': nothing separates field 'a' from 'b'"),
        ([a, Literal(""), b], "nothing separates"),
        ([a, Group((b,))], "must begin with literal text"),
        ([a, Group((Literal(""),))], "must begin with literal text"),
        ([a, Literal("\n"), b], "a literal holds a line end"),
        ([a, Literal(" "), a], "field 'a' appears twice"),
        ([Literal("x")], "no named field"),
    ]:
        with pytest.raises(FormatError, match=says):
            make_template("%a%b", segments)
    with pytest.raises(FormatError, match="escape=backslash"):
        make_template("%a%b", [a, Literal("\\"), b], escape="backslash")


def test_steps_know_what_may_come_next() -> None:
    a, b, c, d = (Field(name, Text()) for name in "abcd")
    template = parse_template("{a}{? {b}{?:{c}?}?}{?{~}?}; {d}")
    colon, blank, semicolon = Literal(":"), Literal(" "), Literal("; ")
    assert {step.segment: step.following for step in template.steps if isinstance(step.segment, Field)} == {
        a: Following((blank, Blanks(), semicolon)),
        b: Following((colon, Blanks(), semicolon)),
        c: Following((Blanks(), semicolon)),
        d: Following(line_end=True),
    }
    assert [step.size for step in template.steps] == [0, 5, 0, 0, 2, 0, 0, 1, 0, 0, 0]
    assert parse_template("{?<{a}>?}{b}").steps[0].following == Following(field=b)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("{a>} {b}", [RightBound((Literal(" "),)), None]),
        ("{a>} ({b})", [RightBound((Literal(" ("), Literal(")"))), None]),
        ("{a>}:{b}@{c}", [RightBound((Literal(":"),), Literal("@")), None, None]),
        ("{a>} {b>}:{c}@{d}", [RightBound((Literal(" "), Literal(":")), Literal("@")), RightBound((Literal(":"),), Literal("@")), None, None]),
        ("{a}{? {b>}={c}?};", [None, RightBound((Literal("="), Literal(";"))), None]),
    ],
)  # fmt: skip
def test_steps_know_the_last_delimiters(text: str, bounds: list[RightBound | None]) -> None:
    steps = [step for step in parse_template(text).steps if isinstance(step.segment, Field)]
    assert [step.following.right_bound for step in steps] == bounds


@pytest.mark.parametrize(
    ("notation", "field_type"),
    [
        ("{a}", Text()),
        ("{a:string}", Text()),
        ("{a:long}", Integer(64)),
        ("{a:decimal( 10 , 2 )}", DecimalNumber(10, 2)),
        ("{a:epoch(ms)}", Epoch("ms")),
        ("{a:list(, )}", ListOf(", ")),
        ("{a:list(()}", ListOf("(")),
        ("{a:list(?)}", ListOf("?")),
        ("{a:timestamp(%Y (%m) %d)}", Timestamp("%Y (%m) %d")),
    ],
)
def test_a_field_has_a_type(notation: str, field_type: object) -> None:
    (field,) = parse_template(notation).fields
    assert field.type == field_type
    assert not field.nullable
    (field,) = parse_template(notation[:-1] + "?}").fields
    assert field.type == field_type
    assert field.nullable
    field = parse_template(notation[:-1] + ">?} x {b}").fields[0] if field_type_ends_late(field_type) else field
    assert field.type == field_type
    assert field.nullable


def field_type_ends_late(field_type: object) -> bool:
    """Returns True if the text after a field of the type ends it."""
    return isinstance(field_type, FieldType) and field_type.syntax is None


WORDS = [
    ("{a", "at character 1: '{' is not closed; write '{{' for a literal brace"),
    ("x {a} }", "at character 7: a single '}' closes nothing; write '}}' for a literal brace"),
    ("{a b}", "at character 1: 'a b' is not a field name"),
    ("{a:}", "field 'a' has a ':' but no type; known are string, quoted, int"),
    ("x {a:zzz}", "at character 3: field 'a': unknown type 'zzz'; known are string, quoted, int"),
    ("x {a:varchar}", "at character 3: field 'a': unknown type 'varchar'; did you mean string?"),
    ("x {a:timestmp}", "at character 3: field 'a': unknown type 'timestmp'; did you mean timestamp?"),
    ("{a:int(3)}", "type 'int' takes no argument, but has (3)"),
    ("{a:decimal}", "type 'decimal' needs precision (1 to 38) and scale: decimal(10,2)"),
    ("{a:decimal(39,0)}", "type 'decimal' needs precision (1 to 38) and scale: decimal(10,2), not '39,0'"),
    ("{a:epoch}", "type 'epoch' needs a unit: epoch(s), epoch(ms), epoch(us) or epoch(ns)"),
    ("{a:list()}", "type 'list' needs its separator: list(,)"),
    ("{a:timestamp(%Q)}", "timestamp pattern '%Q': unknown directive '%Q'; known are %d %e"),
    ("{a:timestamp(today)}", "has no directive; omit the parentheses for ISO 8601"),
    ("{a:timestamp(%Y %Y)}", "a directive occurs twice"),
    ("{a:timestamp(%S.%f %L)}", "%f and %L are both the fraction of a second; use one of them"),
    ("{a} {A}", "field 'A' appears twice (names match without case)"),
    ("{a}{b}", "nothing separates field 'a' from 'b'; put literal text between them"),
    ("{a}{? b", "at character 8: a group opened with '{?' is not closed with '?}'"),
    ("{a} b?}", "at character 6: '?}' closes a group that was not opened with '{?'"),
    ("{a}{?{b}?}", "an optional group must begin with literal text or {~}"),
    ("{a}{? b?}{c}", "nothing but what may be absent separates field 'a' from 'c'; put literal text between them"),
    ("{?<{a}?}{b}", "nothing separates field 'a' from 'b'"),
    ("plain text", "has no named field; write one as {name} or {name:type}"),
    ("{}", "has no named field"),
    ("{a}\n{b}", "a literal holds a line end, but a record is one line"),
    ("{a>}", "field 'a' has a '>', which needs literal text after the field and after the field after that"),
    ("{a:date>} {b}", "field 'a' ends by itself, as all fields of type date; remove its '>'"),
    ("{a:enum(x|)}", "type 'enum' needs its texts, none of them empty or twice: enum(stdout|stderr), not 'x|'"),
    ("{a:enum(x|x)}", "none of them empty or twice"),
    ("{a:list( )} {b}", "field 'a' ends at the first ' ', so it can never have a second element after ' '"),
    ("{a:enum(x y|z)} {b}", "field 'a' ends at the first ' ', so it can never be 'x y', which is one of enum(x y|z)"),
]


@pytest.mark.parametrize(("text", "says"), WORDS, ids=lambda text: text)
def test_a_refusal_says_what_and_where(text: str, says: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse_template(text)
    assert says in str(refused.value)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "{ts:timestamp(%d/%b/%Y:%H:%M:%S %z)} {level} {message}",
        "{ts:timestamp}: %{facility}-{severity:int}-{mnemonic}: {message}",
        "{ts} cpu=%{cpu:double} cost=${cost:decimal(9,2)}",
        "<{priority:int}>{message}",
        "{level} 100% $done <eof> {{x}} {message}",
        "{~}{} {message}{? %{n:int}?}",
    ],
)
def test_signs_of_other_notations_are_text_beside_fields(text: str) -> None:
    refuse_foreign_notation(text)
    assert parse_template(text).fields


def test_a_backslash_in_a_literal_is_no_use_where_it_escapes() -> None:
    assert parse_template("{a}\\{b}").fields
    with pytest.raises(FormatError, match="escape=backslash needs literals without backslashes"):
        parse_template("{a}\\{b}", escape="backslash")


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=lambda text: text)
def test_what_the_reference_refuses_is_refused(text: str, why: str) -> None:
    with pytest.raises(FormatError):
        parse_template(text)


@pytest.mark.parametrize(
    "text",
    [
        "{a}{? x?}}{b}?}",
        "{a?}{{",
        "}}{a}?",
        "{a:quoted}{b:date}{c:timestamp}{d}",
        "{a}{??{b}?}",
        "{ä}",
        "{a}{? b?}{? c?} {d}{? x?}}}",
        "{?<{a}>?}{b}",
    ],
)
def test_what_the_reference_takes_is_taken(text: str) -> None:
    names = [field.name for field in reference.named_fields(reference.parse_template(text))]
    assert [field.name for field in parse_template(text).fields] == names


def test_short_directives_are_what_they_stand_for() -> None:
    long = compile_pattern("%Y-%m-%d %H:%M:%S").parse_us("2026-11-22 10:00:00", TimestampContext())
    assert compile_pattern("%F %T").parse_us("2026-11-22 10:00:00", TimestampContext()) == long
    assert compile_pattern("%%T %F %T").parse_us("%T 2026-11-22 10:00:00", TimestampContext()) == long
    assert compile_pattern("%D %R").parse_us("11/22/26 10:00", TimestampContext()) == long
    assert compile_pattern("%d %h %Y").parse_us("22 nov 2026", TimestampContext()) == long - 36_000_000_000


@pytest.mark.parametrize("text", ["9999 366", "0000 001", "2026 366", "0001 000"])
def test_a_day_that_no_year_has_is_not_of_its_pattern(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        compile_pattern("%Y %j").parse_us(text, TimestampContext())


@pytest.mark.parametrize(
    ("alias", "name"), [("integer", "int"), ("bigint", "long"), ("float", "double"), ("numeric(5,2)", "decimal(5,2)")]
)
def test_the_names_of_spark_are_accepted(alias: str, name: str) -> None:
    assert parse_template(f"{{a:{alias}}}").steps == parse_template(f"{{a:{name}}}").steps
