"""Values of one line, written to the tables of a block.

Each kind of output has a table with a row for each output and a column for each line; see :class:`~.interpreted.OutputArguments`. A line that
turns out to be uncertain is not removed: the next line is written over it.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.libc.string import memcpy
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        LOCAL,
        NO_MATCH,
        O_ADDRESS,
        O_BOOLEAN,
        O_BYTES,
        O_CHOICE,
        O_DAY,
        O_DOUBLE,
        O_EPOCH,
        O_HOST,
        O_INSTANT,
        O_INT,
        O_ISO,
        O_ISO_DAY,
        O_PORT,
        O_TEXT,
        O_USER,
        OUT_ARGUMENT,
        OUT_ESCAPED,
        OUT_KIND,
        OUT_SLOT,
        OUT_TEXT,
        OUT_VALID,
        OUT_WIDTH,
        REJECT_BEGIN,
        REJECT_MATCHED,
        REJECT_OUT,
        REJECT_ROW,
        REJECT_STOP,
        REJECT_WIDTH,
        SEEN_LOCAL,
        SEEN_NULL,
        SEEN_UNCHECKED,
        SEEN_WIDTH,
    )
    from cython.cimports.pyspark_logs.formats.compiled.primitives import (
        CHUNK,
        MAX_CHUNKED,
        copy_chunks,
        equal,
        prefetch,
    )
    from cython.cimports.pyspark_logs.formats.compiled.scalars import boolean, double_of, epoch, integer, is_ipv4
    from cython.cimports.pyspark_logs.formats.compiled.text_output import write_null_text, write_text
    from cython.cimports.pyspark_logs.formats.compiled.times import iso, iso_day
else:
    from . import interpreted
    from .opcodes import *
    from .primitives import equal
    from .scalars import boolean, double_of, epoch, integer, is_ipv4
    from .text_output import write_null_text, write_text
    from .times import iso, iso_day


def tables_of(total, count, outs, pool, ints, doubles, begins, offsets, strings, areas, valid, seen, state, rejects):
    """Returns the tables of a block of ``total`` bytes and ``count`` lines, as the functions of the machines take them."""
    if cython.compiled:
        out: Output
        out.total = total
        out.capacity = count
        out.outs = cython.address(outs[0])
        out.pool = cython.address(pool[0])
        out.ints = cython.address(ints[0])
        out.doubles = cython.address(doubles[0])
        out.begins = cython.address(begins[0])
        out.offsets = cython.address(offsets[0])
        out.strings = cython.address(strings[0])
        out.areas = cython.address(areas[0])
        out.valid = cython.address(valid[0])
        out.seen = cython.address(seen[0])
        out.state = cython.address(state[0])
        out.rejects = cython.address(rejects[0])
        return out
    else:
        return interpreted.OutputArguments(
            total,
            count,
            outs.tolist(),
            bytes(pool),
            ints,
            doubles,
            begins,
            offsets,
            strings,
            areas.tolist(),
            valid,
            seen,
            state.tolist(),
            rejects,
        )


def write_null(out, k, row):
    """Writes null to output ``k``."""
    kind: cython.int = out.outs[OUT_WIDTH * k + OUT_KIND]
    slot: cython.int = out.outs[OUT_WIDTH * k + OUT_SLOT]
    valid: cython.int = out.outs[OUT_WIDTH * k + OUT_VALID]
    if valid >= 0:
        out.valid[valid * out.capacity + row] = 0
    out.seen[SEEN_WIDTH * k + SEEN_NULL] = 1
    if kind == O_DOUBLE:
        out.doubles[slot * out.capacity + row] = 0.0
    elif kind in (O_TEXT, O_HOST, O_USER, O_BYTES, O_ADDRESS, O_CHOICE):
        write_null_text(out, k, row)
    else:
        out.ints[slot * out.capacity + row] = 0


def reject(begin, stop, out, k, row, matched):
    """Writes null to output ``k``, whose text may not be of its type, and notes the text; returns False if there is no memory for it.

    Args:
        begin: offset of the text.
        stop: end offset of the text.
        out: tables of the block.
        k: index of the output.
        row: index of the line in the tables.
        matched: True if the text has the syntax of its field.
    """
    count: cython.int = out.rejects[0]
    if count == out.rejects[1]:
        return False
    at: cython.int = 2 + REJECT_WIDTH * count
    out.rejects[at + REJECT_ROW] = row
    out.rejects[at + REJECT_OUT] = k
    out.rejects[at + REJECT_MATCHED] = matched
    out.rejects[at + REJECT_BEGIN] = begin
    out.rejects[at + REJECT_STOP] = stop
    out.rejects[0] = count + 1
    write_null(out, k, row)
    return True


def write_value(p, begin, stop, value, zone, out, k, row, escaped):
    """Writes a text to output ``k``; returns False if its value is not certain.

    Args:
        p: the block.
        begin: offset of the text.
        stop: end offset of the text.
        value: microseconds or days, for the kinds that the syntax of a field finds.
        zone: their zone.
        out: tables of the block.
        k: index of the output.
        row: index of the line in the tables.
        escaped: True if the text may have escapes.
    """
    kind: cython.int = out.outs[OUT_WIDTH * k + OUT_KIND]
    slot: cython.int = out.outs[OUT_WIDTH * k + OUT_SLOT]
    argument: cython.int = out.outs[OUT_WIDTH * k + OUT_ARGUMENT]
    valid: cython.int = out.outs[OUT_WIDTH * k + OUT_VALID]
    capacity: cython.int = out.capacity
    seen: cython.int = SEEN_WIDTH * k
    end: cython.int
    j: cython.int
    text: cython.int
    size: cython.int
    number: cython.double
    fine: cython.bint = True
    mark: cython.int = 1
    if kind == O_INT:
        (value, fine) = integer(p, begin, stop, argument)
        out.ints[slot * capacity + row] = value
    elif kind == O_DOUBLE:
        (number, fine) = double_of(p, begin, stop)
        out.doubles[slot * capacity + row] = number
    elif kind == O_INSTANT or kind == O_DAY:
        if zone == BAD:
            return False
        mark = 2 if zone == LOCAL else 1
        out.ints[slot * capacity + row] = value
    elif kind == O_ISO:
        (end, value, zone) = iso(p, begin, stop, out.state)
        if end == NO_MATCH or end != stop or zone == BAD:
            return False
        mark = 2 if zone == LOCAL else 1
        out.ints[slot * capacity + row] = value
    elif kind == O_ISO_DAY:
        (end, value, zone) = iso_day(p, begin, stop)
        if end == NO_MATCH or end != stop or zone == BAD:
            return False
        out.ints[slot * capacity + row] = value
    elif kind == O_EPOCH:
        (value, fine) = epoch(p, begin, stop, argument)
        out.ints[slot * capacity + row] = value
    elif kind == O_BOOLEAN:
        value = boolean(p, begin, stop - begin)
        fine = value >= 0
        out.ints[slot * capacity + row] = value
    elif kind == O_PORT:
        end = stop - 1
        while end >= begin and p[end] != 58:
            end -= 1
        if end < begin or (stop - end == 2 and p[end + 1] == 45):
            write_null(out, k, row)
            return True
        (value, fine) = integer(p, end + 1, stop, argument)
        out.ints[slot * capacity + row] = value
    else:
        if kind == O_HOST:
            end = stop - 1
            while end >= begin and p[end] != 58:
                end -= 1
            stop = end if end >= begin else stop
            if stop - begin >= 2 and p[begin] == 91 and p[stop - 1] == 93:
                begin += 1
                stop -= 1
        elif kind == O_USER:
            size = stop - begin
            if size >= 2 and ((p[begin] == 45 and p[begin + 1] == 32) or (p[stop - 1] == 45 and p[stop - 2] == 32)):
                return False
        elif kind == O_BYTES:
            text = out.outs[OUT_WIDTH * k + OUT_TEXT]
            if begin == stop:
                return False
            for j in range(begin, stop):
                if out.pool[text + p[j]] == 0:
                    return False
        elif kind == O_ADDRESS:
            if not is_ipv4(p, begin, stop):
                out.seen[seen + SEEN_UNCHECKED] = 1
        elif kind == O_CHOICE:
            text = out.outs[OUT_WIDTH * k + OUT_TEXT]
            fine = False
            for j in range(argument):
                size = out.pool[text]
                if size == stop - begin and equal(p, begin, out.pool, text + 1, size):
                    fine = True
                    break
                text += 1 + size
            if not fine:
                out.seen[seen + SEEN_UNCHECKED] = 1
                fine = True
        if escaped and kind != O_TEXT and out.outs[OUT_WIDTH * k + OUT_ESCAPED]:
            return False
        write_text(p, begin, stop, out, k, row, mark, escaped)
        return True
    if valid >= 0:
        out.valid[valid * capacity + row] = mark
    if mark == 2:
        out.seen[seen + SEEN_LOCAL] = 1
    return fine


def gather(block, begins, offsets, count, strings):
    """Copies texts to the data of a string array, which has ``CHUNK`` bytes more than the texts.

    Args:
        block: the block.
        begins: offset of each text in the block.
        offsets: offset of each text in the data, and the end of the last text.
        count: number of texts.
        strings: the data.
    """
    row: cython.int
    size: cython.int
    total: cython.int = len(block)
    if count == 0 or total == 0:
        return 0
    if cython.compiled:
        with cython.nogil:
            copy_texts(
                cython.address(block[0]), total, cython.address(begins[0]), cython.address(offsets[0]), count,
                cython.address(strings[0]),
            )  # fmt: skip
    else:
        for row in range(count):
            size = offsets[row + 1] - offsets[row]
            strings[offsets[row] : offsets[row] + size] = block[begins[row] : begins[row] + size]
    return 0


def copy_texts(p, total, begins, offsets, count, strings):
    """Copies texts; see :func:`gather`. Short texts are copied in chunks; the next text overwrites the excess."""
    row: cython.int
    begin: cython.int
    size: cython.int
    if cython.compiled:
        for row in range(count):
            # A column is spread over the block, too far apart for the processor to guess what comes next.
            prefetch(p + begins[row + 12 if row + 12 < count else row])
            begin = begins[row]
            size = offsets[row + 1] - offsets[row]
            if size <= MAX_CHUNKED and begin + size + CHUNK <= total:
                copy_chunks(strings + offsets[row], p + begin, size)
            else:
                memcpy(strings + offsets[row], p + begin, size)
