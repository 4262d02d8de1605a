"""Numbers of the programs that render lines, shared by the compilers of the formats and the machine.

A program is a row of instructions for each layout of lines. An instruction is ``WIDTH`` numbers: a constant text that is
written first, and a value of a column. ``render_opcodes.pxd`` has the same numbers for the compiler.
"""

from __future__ import annotations

(
    KIND,
    SLOT,  # of the column
    TEXT,  # offset in the pool of the constant text before the value
    SIZE,  # of that text
    NULL_TEXT,
    NULL_SIZE,  # of the text of null; -1: null has no text here
    FLAGS,
    MODE,  # of a text
    STOP,  # three bytes at which a text is examined, beside control characters
    STOP_2,
    STOP_3,
    FIRST_STOP,  # texts that a text may not contain as it is
    LAST_STOP,
    FIRST_HEAD,  # texts that a text may not begin with
    LAST_HEAD,
    FIRST_TAIL,  # texts that a text may not end with
    LAST_TAIL,
    FIRST_EQUAL,  # texts that a text may not be
    LAST_EQUAL,
    FIRST_STEP,  # of a time
    LAST_STEP,
    ARGUMENT,
    WIDTH,
) = range(23)

# Kinds.
END, RENDERED, TEXTS, INTEGER, DOUBLE, BOOLEAN, ISO_TIME, PATTERN_TIME, DAY = range(9)

# Modes of texts that contain a text of FIRST_STOP, or a line end.
PLAIN, BACKSLASHES, JSON_STRING, PAIR_VALUE, SEPARATED_VALUE, SEPARATED_BACKSLASHES = range(6)

# Flags of texts.
NOT_EMPTY, NO_SPACE_AT_ENDS, NO_BLANK_FIRST, CONTROLS, NOT_ASCII, QUOTED, OMITTED_IF_NULL = (
    1 << bit for bit in range(7)
)
# Flags of times: parts that must be zero, or one for days and months, because no directive renders them.
LACKS_SECOND, LACKS_MINUTE, LACKS_HOUR, LACKS_HALF, LACKS_DAY, LACKS_MONTH, SHORT_YEAR = (
    1 << bit for bit in range(8, 15)
)

STEP_WIDTH = 4  # letter, offset in the pool, size or digits, unused
INPUT_WIDTH = 5  # addresses of validity, values or offsets, and bytes; offset of the first row; number of bytes
DAY_STATE, YEAR_STATE, MONTH_STATE, DAY_OF_MONTH_STATE, YEARDAY_STATE, SPARE_STATE, STATE_SIZE = range(7)
