"""Program that runs the code blocks of pages in order, with Spark and an S3 server in this process.

``python -m tests.docs.pages_program README.md docs/reading.md`` runs the pages, all pages without arguments, and prints
each block that fails. The blocks of a page share their variables, like the cells of a notebook, and find ``spark``.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.samples import make_directory, put_objects
from tests.support.doc_blocks import PAGES, ROOT, RUN, CodeBlock, code_blocks, shows
from tests.support.spark_session import start_session

RESULT = "RESULT "
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "COLUMNS": "110",
}


class BlockError(Exception):
    """A block of a page fails, or its output is not the shown one."""


def main(names: list[str]) -> int:
    """Runs pages; returns 1 if a block fails."""
    from moto.server import ThreadedMotoServer

    pages = [ROOT / name for name in names] or PAGES
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ.update(_ENVIRONMENT, AWS_ENDPOINT_URL=f"http://{host}:{port}")
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        spark = start_session(**{"spark.sql.warehouse.dir": str(Path(directory, "warehouse"))})
        spark.sparkContext.setLogLevel("ERROR")
        results = [_result(page, spark, Path(directory)) for page in pages]
        os.chdir(ROOT)
        spark.stop()
    server.stop()
    return int(any(result["error"] for result in results))


def _result(page: Path, spark: Any, directory: Path) -> dict[str, Any]:
    """Runs a page and prints its result."""
    start = time.perf_counter()
    error = None
    try:
        run_page(page, spark, directory)
    except BlockError as failure:
        error = str(failure)
    result = {"page": str(page.relative_to(ROOT)), "error": error, "seconds": round(time.perf_counter() - start, 1)}
    print(RESULT + json.dumps(result), flush=True)  # noqa: T201 - the result of the program
    if error is not None:
        print(error, flush=True)  # noqa: T201
    return result


def run_page(page: Path, spark: Any, directory: Path) -> None:
    """Runs the blocks of a page in order.

    Raises:
        BlockError: a block fails; the blocks after it are not run.
    """
    blocks = [block for block in code_blocks(page) if block.language in RUN and block.not_run is None]
    if not blocks:
        return
    make_directory(directory)
    put_objects()
    # The kernel of a notebook runs in the directory of the notebook.
    os.chdir(directory / "examples" if page.suffix == ".ipynb" else directory)
    names: dict[str, Any] = {"spark": spark, "__name__": "__main__"}
    imported = set(sys.modules)
    sys.path.insert(0, str(directory))
    try:
        for block in blocks:
            _run_block(block, names)
        with _errors_of(blocks[-1]):
            for query in spark.streams.active:
                query.processAllAvailable()
    finally:
        for query in spark.streams.active:
            query.stop()
        if any(block.language == "sql" for block in blocks):
            for view in spark.catalog.listTables():
                spark.catalog.dropTempView(view.name)
        sys.path.remove(str(directory))
        for name in set(sys.modules) - imported:
            if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == directory:
                del sys.modules[name]


def _run_block(block: CodeBlock, names: dict[str, Any]) -> None:
    if block.language == "console":
        for command, shown in block.commands():
            with _errors_of(block):
                _check_output(shown, _run_command(command))
        return
    with _errors_of(block), _output() as output:
        if block.language == "sql":
            for statement in filter(str.strip, block.text.split(";")):
                result = names["spark"].sql(statement)
                if result.columns:
                    result.show()
        elif block.file_name is not None:
            Path(block.file_name).write_text(block.text, encoding="utf-8")
        else:
            # Tracebacks have the lines of the page.
            exec(compile("\n" * (block.line - 1) + block.text, str(block.page), "exec"), names)
    with _errors_of(block):
        _check_output(block.output, output.getvalue())


def _run_command(command: list[str]) -> str:
    from pyspark_logs.cli import main as run_command

    if command[0] != "pyspark-logs":
        raise BlockError(f"`{command[0]}` is not run; add a comment `not run` with the reason")
    with _output() as output, contextlib.redirect_stderr(output):
        try:
            code = run_command(command[1:])
        except SystemExit as end:
            code = end.code
    if code != 0:
        raise BlockError(f"exit code {code}:\n{output.getvalue()}")
    return output.getvalue()


def _check_output(shown: str | None, output: str) -> None:
    if shown is not None and not shows(shown, output):
        raise BlockError(f"the page shows\n{shown}\nbut the output is\n{output}")


@contextlib.contextmanager
def _output() -> Iterator[io.StringIO]:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        yield output


@contextlib.contextmanager
def _errors_of(block: CodeBlock) -> Iterator[None]:
    """Raises BlockError with the line of the page for an error of a block."""
    try:
        yield
    except BlockError as error:
        raise BlockError(f"{block}: {error}") from error
    except Exception as error:
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(block.page)
        ]
        where = f"{block}, line {lines[-1]}" if lines else str(block)
        raise BlockError(f"{where}: {type(error).__name__}: {str(error)[:3000]}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
