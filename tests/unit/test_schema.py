"""DDL and Arrow schemas: Spark's types in both directions, and errors."""

from __future__ import annotations

import inspect
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import OptionError
from pyspark_logs.schema import metadata_type, parse_ddl, quote_name, to_ddl

# DDL of a type, the PySpark type, and the canonical DDL. PySpark's DDL parser needs a JVM: tests/spark compares this
# table with it.
TYPES = [
    ("string", "T.StringType()", "string"),
    ("STRING COLLATE utf8_binary", "T.StringType()", "string"),
    ("varchar(10)", "T.StringType()", "string"),
    ("char(3)", "T.StringType()", "string"),
    ("Character( 3 )", "T.StringType()", "string"),
    ("boolean", "T.BooleanType()", "boolean"),
    ("tinyint", "T.ByteType()", "tinyint"),
    ("BYTE", "T.ByteType()", "tinyint"),
    ("smallint", "T.ShortType()", "smallint"),
    ("short", "T.ShortType()", "smallint"),
    ("int", "T.IntegerType()", "int"),
    ("Integer", "T.IntegerType()", "int"),
    ("bigint", "T.LongType()", "bigint"),
    ("long", "T.LongType()", "bigint"),
    ("float", "T.FloatType()", "float"),
    ("real", "T.FloatType()", "float"),
    ("double", "T.DoubleType()", "double"),
    ("decimal", "T.DecimalType(10, 0)", "decimal(10,0)"),
    ("dec(5)", "T.DecimalType(5, 0)", "decimal(5,0)"),
    ("numeric(38, 18)", "T.DecimalType(38, 18)", "decimal(38,18)"),
    ("date", "T.DateType()", "date"),
    ("timestamp", "T.TimestampType()", "timestamp"),
    ("timestamp_ltz", "T.TimestampType()", "timestamp"),
    ("timestamp_ntz", "T.TimestampNTZType()", "timestamp_ntz"),
    ("binary", "T.BinaryType()", "binary"),
    ("array<int>", "T.ArrayType(T.IntegerType())", "array<int>"),
    (
        "map<string, array<timestamp>>",
        "T.MapType(T.StringType(), T.ArrayType(T.TimestampType()))",
        "map<string,array<timestamp>>",
    ),
    (
        "struct<a: int, `b c` string COMMENT 'x', c decimal(4,2)>",
        "T.StructType([T.StructField('a', T.IntegerType()), T.StructField('b c', T.StringType()), T.StructField('c', T.DecimalType(4, 2))])",
        "struct<a:int,`b c`:string,c:decimal(4,2)>",
    ),
    ("struct<>", "T.StructType([])", "struct<>"),
]


def spark_arrow_schema(spark_schema: Any) -> pa.Schema:
    """Returns the schema that Spark compares batches with."""
    from pyspark.sql.pandas.types import to_arrow_schema

    if "timezone" in inspect.signature(to_arrow_schema).parameters:
        return to_arrow_schema(spark_schema, timezone="UTC")
    return to_arrow_schema(spark_schema)  # up to Spark 4.1


@pytest.mark.parametrize(("ddl", "spark", "canonical"), TYPES, ids=[row[0] for row in TYPES])
def test_types_equal_those_of_spark(ddl: str, spark: str, canonical: str) -> None:
    types = pytest.importorskip("pyspark.sql.types")
    expected = spark_arrow_schema(types.StructType([types.StructField("x", eval(spark, {"T": types}))]))
    got = parse_ddl(f"x {ddl}")
    assert got.equals(expected, check_metadata=True)
    assert to_ddl(got) == f"x {canonical}"
    assert to_ddl(expected) == f"x {canonical}"


def test_names_separators_and_comments() -> None:
    schema = parse_ddl(
        "level string, ts: timestamp,\n `odd ``name`` , ` INT COMMENT 'it''s', 2xx bigint COMMENT \"q\\\"\", naïve date "
    )
    assert schema.names == ["level", "ts", "odd `name` , ", "2xx", "naïve"]
    assert all(field.nullable for field in schema)


def test_a_struct_is_a_schema_and_type_names_are_valid_column_names() -> None:
    assert parse_ddl("struct<a:int, b:struct<c:string>>") == parse_ddl("a int, b struct<c:string>")
    assert parse_ddl("struct int, array string, map map<int,int>").names == ["struct", "array", "map"]


def test_metadata_type() -> None:
    names = "file_path file_name file_size file_block_start file_block_length file_modification_time path_time record_offset"
    assert [field.name for field in metadata_type()] == names.split()
    assert metadata_type().field("file_modification_time").type == pa.timestamp("us", tz="UTC")
    assert parse_ddl(to_ddl(pa.schema([("_metadata", metadata_type())])))[0].type == metadata_type()


@pytest.mark.parametrize(
    ("ddl", "message"),
    [
        ("", "no column"),
        ("  ", "no column"),
        ("struct<>", "no column"),
        ("a", "where the type of column 'a'"),
        ("a int,", "column name"),
        (", a int", "column name"),
        ("a int b int", "after the type of column 'a'"),
        ("a int)", "after"),
        ("a int>", "has '>' where ','"),
        ("struct<a:int> b", "'b' where no further text belongs"),
        ("a array<int", "'>' belongs"),
        ("a map<string>", "',' belongs"),
        ("a array", "'<' belongs"),
        ("a-b int", "type -"),
        ("a int; drop", "cannot be read from '; drop'"),
        ("`a int", "cannot be read"),
        ("a int COMMENT x", "quoted comment"),
        ("a varchar", r"'\(' belongs"),
        ("a varchar(x)", "length"),
        ("a varchar(1,2)", "2 lengths"),
        ("a decimal(39)", r"decimal\(39,0\)"),
        ("a decimal(2,3)", r"decimal\(2,3\)"),
        ("a decimal(0)", r"decimal\(0,0\)"),
        ("a int NOT NULL", "column 'a' is NOT NULL.*IS NOT NULL"),
        ("s struct<a: int not null>", r"column 's\.a' is NOT NULL"),
        ("a array<int NOT NULL>", "column 'a' is NOT NULL"),
        ("a map<int, int NOT NULL>", "column 'a' is NOT NULL"),
        ("a int, A string", "'a' and 'A'"),
        ("s struct<a:int, A:int>", "'a' and 'A' in 's'"),
        ("a interval day to second", "'a' has the unsupported type interval; use bigint"),
        ("a variant", "use string"),
        ("s struct<x:void>", r"'s\.x' has the unsupported type void"),
        ("a string collate UNICODE_CI", "unsupported type string collate UNICODE_CI; use string"),
        ("a blob", "unsupported type blob; use one of string, boolean"),
    ],
)
def test_errors_name_the_column_and_a_remedy(ddl: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse_ddl(ddl)


@pytest.mark.parametrize(
    ("data_type", "ddl"),
    [
        (pa.uint8(), "smallint"),
        (pa.uint16(), "int"),
        (pa.uint32(), "bigint"),
        (pa.uint64(), "decimal(20,0)"),
        (pa.float16(), "float"),
        (pa.large_string(), "string"),
        (pa.string_view(), "string"),
        (pa.dictionary(pa.int32(), pa.string()), "string"),
        (pa.large_binary(), "binary"),
        (pa.binary(16), "binary"),
        (pa.timestamp("ns", tz="Europe/Berlin"), "timestamp"),
        (pa.timestamp("s"), "timestamp_ntz"),
        (pa.date64(), "date"),
        (pa.decimal256(38, 2), "decimal(38,2)"),
        (pa.large_list(pa.int8()), "array<tinyint>"),
        (pa.list_(pa.int8(), 3), "array<tinyint>"),
    ],
    ids=str,
)
def test_other_arrow_types_become_the_spark_type_that_holds_them(data_type: pa.DataType, ddl: str) -> None:
    assert to_ddl(pa.schema([("x", data_type)])) == f"x {ddl}"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (pa.schema([]), "no column"),
        (pa.schema([("a", pa.null())]), "Arrow type null; use string"),
        (pa.schema([("a", pa.duration("us"))]), "use bigint"),
        (pa.schema([("a", pa.list_(pa.time64("us")))]), "'a' has the unsupported"),
        (pa.schema([("a", pa.decimal256(39, 0))]), "decimal256"),
        (pa.schema([pa.field("a", pa.int8(), nullable=False)]), "'a' is NOT NULL"),
        (pa.schema([("s", pa.struct([pa.field("a", pa.int8(), nullable=False)]))]), r"'s\.a' is NOT NULL"),
        (pa.schema([("a", pa.list_(pa.field("element", pa.int8(), nullable=False)))]), "'a' is NOT NULL"),
        (pa.schema([("a", pa.int8()), ("A", pa.int8())]), "same name"),
    ],
)
def test_arrow_schemas_that_are_refused(schema: pa.Schema, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        to_ddl(schema)


names = st.text(max_size=8).filter(lambda name: "\x00" not in name)
atoms = st.sampled_from([parse_ddl(f"x {row[0]}")[0].type for row in TYPES])


def structs(children: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    fields = st.lists(st.tuples(names, children), max_size=3, unique_by=lambda field: field[0].lower())
    return fields.map(pa.struct)


types = st.recursive(
    atoms,
    lambda children: st.one_of(
        children.map(lambda child: pa.list_(pa.field("element", child))),
        st.tuples(atoms, children).map(lambda pair: pa.map_(*pair)),
        structs(children),
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(names, types), min_size=1, max_size=4, unique_by=lambda field: field[0].lower()))
def test_ddl_round_trip(fields: list[tuple[str, pa.DataType]]) -> None:
    schema = pa.schema(fields)
    assert parse_ddl(to_ddl(schema)) == schema


def test_quote_name() -> None:
    assert [quote_name(name) for name in ("a_1", "1a", "a b", "é", "`")] == ["a_1", "`1a`", "`a b`", "`é`", "````"]
