"""Parser of conditions in a subset of Spark's SQL.

Grammar (https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select-where.html), in order of precedence::

    condition   negation (AND negation)* (OR ...)*
    negation    NOT negation | test
    test        operand [op operand | [NOT] IN (...) | [NOT] BETWEEN .. AND .. | [NOT] LIKE '..' [ESCAPE '.']
                | [NOT] RLIKE '..' | IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM operand]
                | ( condition )
    operand     column | literal
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

import pyarrow as pa
import pyarrow.types as t

from pyspark_logs.arrow_values import to_scalar
from pyspark_logs.conditions import advice, literals
from pyspark_logs.conditions.nodes import (
    ColumnNode,
    ComparisonNode,
    Condition,
    JunctionNode,
    LiteralNode,
    MembershipNode,
    NegationNode,
    Node,
    NullTestNode,
    OperandNode,
    PatternNode,
    TruthNode,
    condition_error,
)
from pyspark_logs.errors import OptionError

_TOKEN = re.compile(
    r"\s*(?:(?P<string>[rR]'[^']*'|[rR]\"[^\"]*\"|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?:BD|bd|[LlSsYyDdFf])?(?!\w))"
    r"|(?P<name>`(?:[^`]|``)+`)|(?P<word>[^\W\d]\w*)|(?P<sign><=>|<=|>=|<>|!=|==|[=<>(),.+!-])|(?P<end>$))",
    re.DOTALL,
)
_OPERATORS = {"=": "=", "==": "=", "<=>": "<=>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "<>": "=", "!=": "="}
_NEGATIONS = ("<>", "!=")
_RESERVED = {"and", "or", "not", "in", "between", "like", "rlike", "regexp", "is", "escape", "null", "true", "false"}
_MAX_DIGITS, _MAX_POWER_DIGITS = 100, 4  # of a number and of its exponent
_WIDTHS = {"S": pa.int16(), "Y": pa.int8(), "L": pa.int64()}


@dataclass(frozen=True)
class _SqlToken:
    kind: str
    text: str
    position: int

    @property
    def key(self) -> str:
        """Keyword in lower case, sign, or ""."""
        return self.text.lower() if self.kind in ("word", "sign") else ""


def parse_condition(text: str, zone: str) -> Condition:
    """Parses a condition.

    Args:
        text: text of the option.
        zone: time zone of timestamps without a zone.

    Raises:
        OptionError: the text is not a condition; the message names the position, the expected text, and all that is
            supported.

    >>> parse_condition("n > 1", "UTC").root
    ComparisonNode(op='>', left=ColumnNode(parts=('n',), position=0), right=LiteralNode(value=1, dtype=DataType(int32), position=4))
    """
    if not isinstance(text, str):
        raise OptionError(f"option 'where': {text!r} is not a string, such as \"level = 'ERROR'\"")
    parser = _ConditionParser(text, zone)
    try:
        root = parser.disjunction()
    except RecursionError:
        raise condition_error(text, 0, "is nested too deeply") from None
    parser.expect_end()
    return Condition(text, root, zone)


class _ConditionParser:
    """Recursive descent parser."""

    def __init__(self, text: str, zone: str) -> None:
        self._text, self._zone = text, zone
        self._tokens: list[_SqlToken] = []
        offset = 0
        while not self._tokens or self._tokens[-1].kind != "end":
            match = _TOKEN.match(text, offset)
            if match is None:
                position = offset + len(text[offset:]) - len(text[offset:].lstrip())
                problem, hint = "the text cannot be read", advice.of_clause(text) or advice.of_sign(text, position)
                if (quote := text[position]) in "'\"":
                    problem, hint = (
                        "the string is not closed",
                        f"a quote in a string is doubled: {quote}it{quote * 2}s{quote}",
                    )
                raise condition_error(text, position, f"{problem}; {hint or advice.SUPPORTED}")
            kind = match.lastgroup or "end"
            self._tokens.append(_SqlToken(kind, match[kind], match.start(kind)))
            offset = match.end()
        self._index = 0

    # --- tokens -----------------------------------------------------------------------------------------------

    def _peek(self, distance: int = 0) -> _SqlToken:
        return self._tokens[min(self._index + distance, len(self._tokens) - 1)]

    def _take(self) -> _SqlToken:
        token = self._peek()
        self._index += 1
        return token

    def _accept(self, *keys: str) -> bool:
        """Skips the next tokens if they are these."""
        if any(self._peek(distance).key != key for distance, key in enumerate(keys)):
            return False
        self._index += len(keys)
        return True

    def _expect(self, key: str, hint: str | None = None) -> None:
        if not self._accept(key):
            self._fail(f"expected {key.upper()!r}", hint=hint)

    def _fail(self, problem: str, token: _SqlToken | None = None, hint: str | None = None) -> NoReturn:
        position = (token or self._peek()).position
        raise condition_error(self._text, position, f"{problem}; {hint or advice.SUPPORTED}")

    def expect_end(self) -> None:
        """Raises OptionError unless all tokens are read."""
        if self._peek().kind == "end":
            return
        before = self._tokens[self._index - 1]
        hint = advice.of_clause(self._text) or advice.of_date(self._text, before.position)
        if self._text.startswith("--", self._peek().position):
            hint = hint or "leave the comment out"
        self._fail("expected AND, OR or the end", hint=hint or advice.of_word(self._peek().key))

    # --- conditions -------------------------------------------------------------------------------------------

    def disjunction(self) -> Node:
        """Parses conditions with OR between them."""
        children = [self._conjunction()]
        while self._accept("or"):
            children.append(self._conjunction())
        return children[0] if len(children) == 1 else JunctionNode(False, tuple(children))

    def _conjunction(self) -> Node:
        children = [self._negation()]
        while self._accept("and"):
            children.append(self._negation())
        return children[0] if len(children) == 1 else JunctionNode(True, tuple(children))

    def _negation(self) -> Node:
        negated = False
        while self._accept("not") or self._accept("!"):
            negated = not negated
        test = self._test()
        return NegationNode(test) if negated else test

    def _test(self) -> Node:
        if self._accept("("):
            inner = self.disjunction()
            self._expect(")")
            if not isinstance(inner, TruthNode):
                if self._peek().key in (*_OPERATORS, "in", "is", "between", "like"):
                    self._fail("a condition in parentheses cannot be compared; write AND, OR or NOT")
                return inner
            operand = inner.operand
        else:
            operand = self._operand()
        token = self._peek()
        if token.key in _OPERATORS:
            self._take()
            if self._peek().key in _OPERATORS:
                self._fail("expected a column or a literal", hint=f"write {_OPERATORS[token.key]}, once")
            comparison = ComparisonNode(_OPERATORS[token.key], operand, self._operand())
            if self._peek().key in _OPERATORS:
                self._fail("a comparison cannot be compared; write AND between comparisons")
            return NegationNode(comparison) if token.key in _NEGATIONS else comparison
        if self._accept("is"):
            return self._is(operand)
        negated = self._accept("not")
        test = self._word_test(operand)
        if test is None:
            if negated:
                hint = advice.of_word(self._peek().key)
                self._fail("expected IN, BETWEEN, LIKE or RLIKE", hint=hint and hint.replace("write ", "write NOT ", 1))
            return TruthNode(operand)
        return NegationNode(test) if negated else test

    def _is(self, operand: OperandNode) -> Node:
        negated = self._accept("not")
        token = self._take()
        if token.key in ("null", "unknown"):
            test: Node = NullTestNode(operand)
        elif token.key in ("true", "false"):
            test = ComparisonNode("<=>", operand, LiteralNode(token.key == "true", pa.bool_(), token.position))
        elif token.key == "distinct":
            self._expect("from")
            test = NegationNode(ComparisonNode("<=>", operand, self._operand()))
        else:
            hint = advice.of_word(token.key)
            if token.kind == "string" or (token.kind in ("word", "number") and hint is None):
                hint = f"write = {token.text}" if token.kind != "word" else f"write = '{token.text}'"
            self._fail("expected NULL, TRUE, FALSE or DISTINCT FROM", token, hint)
        return NegationNode(test) if negated else test

    def _word_test(self, operand: OperandNode) -> Node | None:
        if self._accept("in"):
            self._expect("(", f"write IN ({self._peek().text})" if self._peek().kind in ("string", "number") else None)
            values = [self._operand()]
            while self._accept(","):
                values.append(self._operand())
            self._expect(")")
            return MembershipNode(operand, tuple(values))
        if self._accept("between"):
            low = self._operand()
            self._expect("and")
            high = self._operand()
            return JunctionNode(True, (ComparisonNode(">=", operand, low), ComparisonNode("<=", operand, high)))
        if self._accept("like"):
            return PatternNode(operand, self._pattern(), self._escape())
        if self._accept("rlike") or self._accept("regexp"):
            return PatternNode(operand, self._pattern(), None)
        return None

    def _pattern(self) -> LiteralNode:
        node = self._operand()
        if not isinstance(node, LiteralNode) or not (t.is_string(node.dtype) or t.is_null(node.dtype)):
            raise condition_error(self._text, node.position, f"expected a quoted pattern; {advice.SUPPORTED}")
        return node

    def _escape(self) -> str:
        if not self._accept("escape"):
            return "\\"
        token = self._take()
        text = self._text_of(token) if token.kind == "string" else ""
        if len(text) != 1:
            self._fail("expected one quoted character", token)
        return text

    # --- operands ---------------------------------------------------------------------------------------------

    def _text_of(self, token: _SqlToken) -> str:
        """Returns the value of a quoted string."""
        try:
            return literals.unquote(token.text)
        except ValueError as error:
            raise condition_error(self._text, token.position, f"the string has no value: {error}") from None

    def _operand(self) -> OperandNode:
        token = self._take()
        if token.kind == "string":
            text = self._text_of(token)
            while self._peek().kind == "string":  # Spark joins adjacent strings
                text += self._text_of(self._take())
            return LiteralNode(text, pa.string(), token.position)
        if token.key in ("+", "-") and self._peek().kind == "number":
            return self._number(self._take(), -1 if token.key == "-" else 1)
        if token.kind == "number":
            return self._number(token, 1)
        if token.key in ("true", "false"):
            return LiteralNode(token.key == "true", pa.bool_(), token.position)
        if token.key == "null":
            return LiteralNode(None, pa.null(), token.position)
        if token.key in ("date", "timestamp", "timestamp_ltz", "timestamp_ntz") and self._peek().kind == "string":
            return self._time(token, self._take())
        if token.kind == "name" or (token.kind == "word" and token.key not in _RESERVED):
            return self._column(token)
        if token.key in ("like", "rlike", "regexp") and self._peek().key == "(":
            word = token.text.upper()
            raise condition_error(self._text, token.position, f"{word} is an operator; write column {word} 'pattern'")
        if token.key != "(":
            self._fail("expected a column or a literal", token)
        operand = self._operand()
        self._expect(")", "write IN (...) for several values" if self._peek().key == "," else None)
        return operand

    def _column(self, token: _SqlToken) -> ColumnNode:
        parts = [_name(token)]
        while self._accept("."):
            part = self._take()
            if part.kind not in ("name", "word"):
                self._fail("expected the name of a nested field", part)
            parts.append(_name(part))
        if self._peek().key == "(":
            self._fail(f"{'.'.join(parts)} is a function", token, advice.of_word(parts[-1]))
        return ColumnNode(tuple(parts), token.position)

    def _number(self, token: _SqlToken, sign: int) -> LiteralNode:
        text = token.text.upper()
        suffix = "BD" if text.endswith("BD") else text[-1] if text[-1] in "LSYDF" else ""
        digits, _, power = text.removesuffix(suffix).partition("E")
        exponent = f"E{power}" if power else ""
        if suffix == "F":
            return LiteralNode(
                sign * to_scalar(float(digits + exponent), pa.float32()).as_py(), pa.float32(), token.position
            )
        if suffix == "D" or (exponent and not suffix):
            return LiteralNode(sign * float(digits + exponent), pa.float64(), token.position)
        # int() refuses thousands of digits, and the plain notation of a decimal number has as many digits as its exponent says.
        if len(digits) > _MAX_DIGITS or len(power) > _MAX_POWER_DIGITS:
            self._fail("the number has more than 38 digits", token)
        if "." not in digits and not exponent and suffix != "BD":
            value = sign * int(digits)
            dtype = _WIDTHS.get(suffix) or (pa.int32() if -(1 << 31) <= value < 1 << 31 else pa.int64())
            if -(1 << (dtype.bit_width - 1)) <= value < 1 << (dtype.bit_width - 1):
                return LiteralNode(value, dtype, token.position)
            if suffix:
                self._fail(f"the number is too large for its suffix {suffix}", token)
        elif suffix in _WIDTHS:
            self._fail(f"a number with the suffix {suffix} is a whole number", token)
        number = Decimal(digits + exponent) * sign
        scale = max(0, -int(number.as_tuple().exponent))
        precision = max(len(format(number, "f").lstrip("-").replace(".", "").lstrip("0")), scale, 1)
        if precision > 38:
            self._fail("the number has more than 38 digits", token)
        return LiteralNode(number, pa.decimal128(precision, scale), token.position)

    def _time(self, word: _SqlToken, token: _SqlToken) -> LiteralNode:
        text = self._text_of(token)
        if word.key == "date":
            date = literals.parse_date(text)
            if date is None:
                self._fail("expected a date such as DATE '2026-11-22'", token)
            return LiteralNode(date, pa.date32(), word.position)
        is_wall = word.key == "timestamp_ntz"
        time = literals.parse_timestamp(text, None if is_wall else self._zone)
        if time is None or (is_wall and literals.has_zone(text)):
            self._fail(f"expected a time such as {word.text.upper()} '2026-11-22 07:30:00'", token)
        return LiteralNode(time, pa.timestamp("us", None if is_wall else "UTC"), word.position)


def _name(token: _SqlToken) -> str:
    return token.text[1:-1].replace("``", "`") if token.kind == "name" else token.text
