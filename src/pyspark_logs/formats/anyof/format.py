"""The format ``anyOf``: each line is read by the first of several formats that it matches. It cannot be written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.anyof.decoder import AnyOfDecoder, MemberDecoder
from pyspark_logs.formats.anyof.inference import infer_members
from pyspark_logs.formats.anyof.matcher import AnyOfMatcher
from pyspark_logs.formats.anyof.member import AnyOfMember, combine_searchable, merge_columns, whole_projection
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.writing.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.options import FormatMember, FormatOptions
from pyspark_logs.records import Lines, PartRule

Resolve = Callable[[FormatMember], LineFormat]


@dataclass(frozen=True)
class AnyOfFormat(LineFormat):
    """Several formats; see :class:`~pyspark_logs.formats.line_format.LineFormat`.

    Attributes:
        options: options of the load, with the comments and banners of all members.
        members: the formats in the order in which they are tried.
        blanks: characters of lines that are blank for all members.
        part_rule: rule that finds the parts of lines of a member; None: there are none.
    """

    options: FormatOptions
    members: tuple[AnyOfMember, ...]
    blanks: str = ""
    part_rule: PartRule | None = None

    suffix = "log"

    @property
    def is_open(self) -> bool:
        """True if a member may have any column."""
        return any(member.form.is_open for member in self.members)

    @functools.cached_property
    def _merged(self) -> tuple[pa.Schema, list[str]]:
        schema, problems = merge_columns([(member, member.known) for member in self.members])
        return self._with_format_column(schema), problems

    def _with_format_column(self, schema: pa.Schema) -> pa.Schema:
        name = self.options.format_column
        if name is None:
            return schema
        if name.lower() in (known.lower() for known in schema.names):
            raise FormatError(f"option 'formatColumn': a member has a column {name!r}, too; give another name")
        return schema.append(pa.field(name, pa.string()))

    def schema(self) -> pa.Schema | None:
        """Returns the columns that the members document, merged by name; None if there are none.

        A column whose types have no common one has its first type; see :meth:`infer`.
        """
        return self._merged[0] if len(self._merged[0]) else None

    @property
    def infers_schema(self) -> bool:
        """True if lines of a member name their own columns, or if only a schema of the user can reconcile types."""
        return bool(self._merged[1]) or any(self._is_inferred(member) for member in self.members)

    def _is_inferred(self, member: AnyOfMember) -> bool:
        return member.form.schema() is None

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Returns the columns of all members; those of JSON and logfmt are inferred from the lines that match them.

        Raises:
            SchemaError: a column has types in two members that have no common one.
            FormatError: there are no columns, or a member's sample has more than ``maxInferredColumns``.
        """
        _check_types(self._merged[1])
        schemas = [(member, member.known) for member in self.members]
        if any(map(self._is_inferred, self.members)):
            schemas = infer_members(self.members, sample, self.options.sampling_bytes)
        merged, problems = merge_columns(schemas)
        _check_types(problems)
        if not len(merged):
            raise FormatError("no line of the sample matches a member of anyOf, so that there are no columns")
        return self._with_format_column(merged)

    def decoder(self, projection: Projection) -> AnyOfDecoder:
        """Returns a decoder of the members, each of which decodes those of the requested columns that it has."""
        fields = list(projection.fields())
        name = (self.options.format_column or "").lower()
        format_index = next((i for i, (field, _) in enumerate(fields) if name and field.name.lower() == name), None)
        if format_index is not None and not pa.types.is_string(fields[format_index][0].type):
            raise SchemaError(f"column {self.options.format_column!r} (formatColumn) holds names: declare it a string")
        decoders = [self._member_decoder(member, projection, name) for member in self.members]
        found = {index for decoder in decoders for index in decoder.indices} | {format_index}
        for index, (field, judged) in enumerate(fields):
            if judged and index not in found:
                raise SchemaError(
                    f"column {field.name!r}: no member of anyOf has it or can read it as {field.type}; ask for another type"
                )
        return AnyOfDecoder(decoders, projection.types, format_index)

    def _member_decoder(self, member: AnyOfMember, projection: Projection, format_column: str) -> MemberDecoder:
        columns, hidden, indices = [], [], []
        is_retyped = False
        for index, field in enumerate(projection.columns):
            if field.name.lower() != format_column and member.reads(field):
                own = member.field(field.name)
                is_retyped = is_retyped or own is None or own.type != field.type
                columns.append(field)
                indices.append(index)
        for index, field in enumerate(projection.hidden, len(projection.columns)):
            own = member.time_field(field.name)
            if own is not None:
                hidden.append(pa.field(own.name, field.type))
                indices.append(index)
        try:
            decoder = member.form.decoder(whole_projection(pa.schema(columns), pa.schema(hidden)))
        except SchemaError as error:
            raise SchemaError(f"{member.title} of anyOf: {error}") from error
        return MemberDecoder(member.name, decoder, member.matcher, tuple(indices), is_retyped)

    def matcher(self) -> Matcher:
        """Returns a matcher of the lines that match a member; other lines continue the record before them.

        Raises:
            FormatError: no member has a last field that could take these lines.
        """
        problem = None
        for member in self.members:
            try:
                member.form.matcher()
            except FormatError as error:
                problem = problem or error
            else:
                return AnyOfMatcher(member.matcher.decoder, members=tuple(each.matcher for each in self.members))
        raise FormatError(f"no member of anyOf can take further lines: {problem}") from problem

    def searchable_fields(self) -> SearchableFields:
        """Returns the fields that are searchable in all members that have them."""
        return combine_searchable(self.members, self.options.format_column)

    def has_one_time(self, name: str) -> bool:
        """Returns True if the time of every record is in the column of this name."""
        times = [member.time_field(name) for member in self.members]
        return all(time is None or time.name.lower() == name.lower() for time in times)

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Raises FormatError, because a row does not determine the member by which it is written."""
        raise FormatError(
            "anyOf can be read only, because a row does not determine its member; write with the options of one of the members"
        )


def any_of_format(options: FormatOptions, resolve: Resolve) -> AnyOfFormat:
    """Returns the format of the option ``anyOf``.

    Args:
        options: options of the load.
        resolve: function that returns the format of a member.

    Raises:
        FormatError: the format of a member is wrong or cannot be a member; names the index of the member.
    """
    members = []
    for index, described in enumerate(options.members):
        try:
            form = resolve(described)
            if options.rescued_column is not None and form.is_open:
                own = replace(described.options, rescued_column=options.rescued_column)
                form = resolve(replace(described, options=own))
        except (FormatError, SchemaError) as error:
            raise FormatError(f"option 'anyOf', member {index} ({described.name}): {error}") from error
        member = AnyOfMember(index, described.name, form)
        member.check()
        members.append(member)
    if options.rescued_column is not None and not any(member.form.is_open for member in members):
        raise FormatError("option 'rescuedDataColumn' belongs to json and logfmt, and anyOf has no such member")
    prefixes = [
        prefix
        for member in members
        for prefix in (*member.form.options.banners, member.form.options.comment_prefix)
        if prefix is not None
    ]
    blanks = "".join(char for char in " \t" if all(char in member.form.blanks for member in members))
    return AnyOfFormat(
        replace(options, banners=tuple(dict.fromkeys(prefixes))), tuple(members), blanks, _part_rule(options, members)
    )


def _part_rule(options: FormatOptions, members: list[AnyOfMember]) -> PartRule | None:
    """Returns the rule by which the parts of lines are joined; None if no member has parts.

    Raises:
        FormatError: several members have parts, which would be joined by different rules.
    """
    with_parts = [member for member in members if member.form.part_rule is not None]
    rules = {type(member.form.part_rule): member.form.part_rule for member in with_parts}
    if len(rules) > 1 and options.join_parts is not False and options.multi_line is None:
        titles = " and ".join(member.title for member in with_parts)
        raise FormatError(
            f"option 'anyOf': parts of lines are joined by the rule of one member, and {titles} have different ones; set"
            " joinParts=false"
        )
    return next(iter(rules.values()), None)


def _check_types(problems: list[str]) -> None:
    if problems:
        raise SchemaError(
            f"option 'anyOf': {'; '.join(problems)}, which have no common type. Give a schema that has the column in a type in"
            " which both can be read, or lacks it; or rename it in a template"
        )
