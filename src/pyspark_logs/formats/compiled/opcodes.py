"""Numbers of the instructions, flags and columns in programs. ``opcodes.pxd`` has the same numbers for the compiler."""

# Instructions
END = 0  # end of the line
STOP = 1  # the last requested field has been parsed
LITERAL = 2
BLANKS = 3
GROUP = 4  # optional group
PLAIN = 5  # field that a delimiter ends; the instructions after it are fields with a syntax
QUOTED = 6
ISO = 7
DATE = 8
PATTERNS = 9  # time in one of several notations
UPSTREAM = 10  # list of nginx
REQUESTER = 11  # of S3
HALF_QUOTED = 12  # quoted text of HAProxy, which may lack its closing quote
HEADER = 13  # header field of CEF
PREFIX = 14  # of Cisco IOS
LETTER = 15  # one of several letters
COUNT = 16  # of octets
VERBOSE = 17  # facility and severity of FreeBSD
FRONTEND = 18  # of HAProxy
REST = 19  # of the line
STAMP = 20  # time and zone of PostgreSQL

# Flags of instructions
LINE_END = 1  # the line may end after the field
NEVER_BLANK = 2
TAKES_REST = 4
NULLABLE = 8
BEFORE_FIELD = 16  # another field follows, without a delimiter
QUOTES_OPTIONAL = 32
RAW_QUOTES = 64  # quotes in quoted text are not escaped
ONE_BYTE = 128  # one delimiter of one byte, or the end of the line, and nothing else, may follow
ONE_LITERAL = 256  # one literal, and nothing else, may follow
TRAILING = 512  # text after the last field is ignored
HAS_LAST = 1024  # the group has the last requested field
CHECKED = 2048  # the value is requested or judged
ENDS_LAST = 4096  # the field ends at the last occurrence of a literal
PAD_BEFORE = 8192
PAD_AFTER = 16384
TAKES_APPENDED = 65536  # the group takes fields that were appended to the format
ESCAPED = 131072  # texts may have escapes
ENDED = 262144  # a literal may follow the syntax of the field
ONE_TEXT = 524288  # the only output is a string
REJECTS = 1048576  # a text without the syntax of the field is of no output
SKIPS = 32768  # the next instruction is the literal that ends the field

# Columns of the table of instructions
WIDTH = 20
KIND = 0
FLAGS = 1
TEXT = 2  # offset of a literal in the pool, or the byte of ONE_BYTE
SIZE = 3
FIRST_OUT = 4
LAST_OUT = 5
FIRST_DELIMITER = 6
LAST_DELIMITER = 7
NULL_TEXT = 8
NULL_SIZE = 9
OTHER_TEXT = 10
OTHER_SIZE = 11
JUMP = 12
FIRST_PATTERN = 13
LAST_PATTERN = 14
PADDING = 15
LIMIT_TEXT = 16  # of ENDS_LAST: literal that bounds the search
LIMIT_SIZE = 17  # -1: the end of the line bounds the search
LAST_BOUND = 18  # of ENDS_LAST: delimiters of the bound begin at FIRST_DELIMITER, too

# Kinds of output
O_TEXT = 0
O_INT = 1
O_DOUBLE = 2
O_BOOLEAN = 3
O_INSTANT = 4  # time that the syntax of the field has found
O_DAY = 5
O_EPOCH = 6
O_HOST = 7
O_PORT = 8
O_USER = 9  # user name
O_BYTES = 10  # text without some bytes
O_ADDRESS = 11  # text that is checked again unless it is an IPv4 address
O_CHOICE = 12  # text that is checked again unless it is one of several
O_ISO = 13  # text that is a time
O_ISO_DAY = 14

# Columns of the table of outputs
OUT_WIDTH = 6
OUT_KIND = 0
OUT_SLOT = 1  # row in the table of its kind
OUT_ARGUMENT = 2
OUT_VALID = 3  # row in the table of valid values; -1: no value is null
OUT_TEXT = 4  # offset of an argument in the pool
OUT_ESCAPED = 5  # 1: texts may have escapes

# Columns of the table of observations, one row for each output
SEEN_WIDTH = 4
SEEN_NULL = 0
SEEN_ESCAPE = 1
SEEN_LOCAL = 2  # a time without a zone
SEEN_UNCHECKED = 3  # a text that must be checked again

# Where a syntax ends, if not at an offset
NO_MATCH = -1
UNCERTAIN = -2

# Zones of times
ZONED = 1
LOCAL = 2
BAD = 3  # not a time, although it has the syntax of one

# Columns of the table of patterns, and their kinds
PATTERN_WIDTH = 4
PATTERN_KIND = 0
PATTERN_STEP = 1
PATTERN_STEPS = 2
PATTERN_ISO = 0
PATTERN_DIRECTIVES = 1
PATTERN_SECONDS = 2

# Entries of the state
STATE_MINUTE = 0  # offset of the last ISO time, whose minutes are known; -1: none
STATE_MINUTES = 1
STATE_FIELD = 2  # instruction of the last time of a pattern; -1: none
STATE_OFFSET = 3
STATE_WIDTH = 4
STATE_VALUE = 5
STATE_ZONE = 6
STATE_SIZE = 8

# Columns of the table of rejected texts, after two numbers
REJECT_WIDTH = 5
REJECT_ROW = 0
REJECT_OUT = 1
REJECT_MATCHED = 2  # 1: the text has the syntax of its field
REJECT_BEGIN = 3
REJECT_STOP = 4

# Columns of the table of keys of JSON objects
KEY_WIDTH = 6
KEY_TEXT = 0
KEY_SIZE = 1
KEY_CHILD = 2  # node of the object that is the value; -1: the value is not an object
KEY_FIRST_OUT = 3
KEY_LAST_OUT = 4
KEY_PRESENT = 5  # output that tells if the value is an object; -1: none

# Columns of the table of the last keys, one row for each position of a key in a line
GUESS_WIDTH = 5
GUESS_OFFSET = 0
GUESS_SIZE = 1  # -1: no key
GUESS_KEY = 2
GUESS_STATE = 3  # of JSON: twice the node, plus 1 if a comma is before the key; -1: no key
GUESS_FORM = 4  # of JSON: form of the value

# Forms of JSON values; the values from V_STRING on begin after a quote
V_OTHER = 0
V_UNWANTED = 1
V_INTEGER = 2
V_NUMBER = 3
V_STRING = 4
V_TEXT = 5
V_UNWANTED_STRING = 6

# Kinds of values that an output accepts
STRINGS = 1
NUMBERS = 2
BOOLEANS = 4
NUMERALS = 8  # strings that hold a number

MAX_DEPTH = 60  # of nested objects and arrays

# What an output of logfmt does with a key without a value, and with an empty one
FLAG_IS_TRUE = 1
KEEPS_EMPTY = 2
