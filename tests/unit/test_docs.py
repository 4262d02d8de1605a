"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pyspark_logs
from pyspark_logs import errors
from pyspark_logs.formats.regex.grok_library import grok_library
from pyspark_logs.options import OPTIONS
from pyspark_logs.options.table import SPARK_OPTIONS
from scripts import grok_page, presets_page, promises_page
from scripts.option_examples import EXAMPLES, SINCE
from scripts.options_page import PAGE, groups, page
from tests.support.doc_blocks import PAGES as PAGES_WITH_CODE
from tests.support.doc_blocks import RUN, SHOWN, code_blocks

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "sample_data" / "README.md"])


def test_the_options_page_is_the_table_of_options() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python scripts/options_page.py"


def test_the_presets_page_is_the_table_of_presets() -> None:
    written = presets_page.PAGE.read_text(encoding="utf-8")
    assert written == presets_page.page(), "run: python scripts/presets_page.py"


def test_the_page_of_promises_has_what_the_tests_try() -> None:
    written = promises_page.PAGE.read_text(encoding="utf-8")
    assert written == promises_page.page(), "run: python scripts/promises_page.py"


def test_the_grok_page_has_the_patterns_of_the_library() -> None:
    assert grok_page.PAGE.read_text(encoding="utf-8") == grok_page.page(), "run: python scripts/grok_page.py"
    listed = re.findall(r"^\| `([A-Z0-9_]+)` \|", grok_page.page().partition(grok_page.MARK)[2], flags=re.MULTILINE)
    assert listed == list(grok_library())


def test_the_options_page_has_every_option_once() -> None:
    listed = [option.name for options in groups().values() for option in options]
    assert sorted(listed) == sorted(option.name for option in OPTIONS)


def test_each_option_has_an_example_that_is_a_value_of_it() -> None:
    assert sorted(EXAMPLES) == sorted(option.name for option in OPTIONS)
    assert set(SINCE) <= set(EXAMPLES)
    for option in OPTIONS:
        option.parse(option.name, EXAMPLES[option.name])


def test_the_tree_of_errors_on_its_page_is_the_one_in_the_code() -> None:
    drawn = re.search(
        r"^LogSourceError\n(?:[├└│ ].*\n)+", (ROOT / "docs/errors.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert drawn is not None
    assert errors.__doc__ is not None
    assert drawn[0].split() == errors.__doc__.partition("::")[2].partition("Each message")[0].split()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_option_set_in_an_example_exists(path: Path) -> None:
    known = {option.name for option in OPTIONS} | set(SPARK_OPTIONS)
    used = set(re.findall(r'\.option\("(\w+)"', path.read_text(encoding="utf-8")))
    assert used <= known


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_files_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link


def test_the_links_of_the_readme_are_absolute_and_lead_to_files_of_the_repository() -> None:
    """PyPI shows the page, too, and does not resolve relative links."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    defined = dict(re.findall(r"^\[([^]]+)\]: (\S+)$", text, re.MULTILINE))
    assert set(re.findall(r"\]\[([\w#-]+)\]", text)) == set(defined)
    assert re.findall(r"\]\((?!https:)[^)]*\)", text) == []
    for link in defined.values():
        path, _, anchor = link.removeprefix(f"{_urls()['Homepage']}/blob/main/").partition("#")
        headings = re.findall(r"^#+ (.*)$", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert not anchor or anchor in {re.sub(r"[^a-z0-9]+", "-", heading.lower()) for heading in headings}, link


def test_the_addresses_of_the_metadata_are_those_of_the_site() -> None:
    urls = _urls()
    assert f"repo_url: {urls['Homepage']}\n" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert {url for url in urls.values() if not url.startswith(urls["Homepage"])} == set()
    for url in (urls["Documentation"], urls["Changelog"]):
        assert (ROOT / url.removeprefix(f"{urls['Homepage']}/blob/main/")).is_file()


def _urls() -> dict[str, str]:
    """Returns the addresses of the project in its metadata, by name."""
    table = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[project.urls]\n")[2].partition("\n\n")[0]
    return dict(re.findall(r'^(\w+) = "(.*)"$', table, re.MULTILINE))


def test_the_counts_in_the_quickstart_are_those_of_the_sample() -> None:
    text = (ROOT / "docs/quickstart.md").read_text(encoding="utf-8")
    template = re.search(r'template="(\{ts:timestamp\}.*)",', text)
    shown = re.findall(r"^\| *(\w+)\| *(\d+)\|$", text, flags=re.MULTILINE)
    assert template is not None
    assert len(shown) == 5
    folder = str(ROOT / "sample_data" / "app")
    levels = pyspark_logs.scan(folder, template=template[1]).read_all()["level"].to_pylist()
    assert {level: levels.count(None if level == "NULL" else level) for level, _ in shown} == {
        level: int(count) for level, count in shown
    }


@pytest.mark.parametrize("option", ["nginx", "apache", "logback"])
def test_the_examples_of_pasted_configuration_are_read_and_written(option: str, tmp_path: Path) -> None:
    text = (ROOT / "docs/pasted.md").read_text(encoding="utf-8")
    examples = re.findall(
        rf'```text title="{option}"\n(.*?)```\n\n```text title="lines"\n(.*?)```', text, flags=re.DOTALL
    )
    assert examples
    for number, (spec, lines) in enumerate(examples):
        (tmp_path / "a.log").write_text(lines)
        table = pyspark_logs.scan(str(tmp_path / "a.log"), **{option: spec}, mode="FAILFAST").read_all()
        assert len(table) == lines.count("\n")
        place = tmp_path / str(number)
        pyspark_logs.write(table.to_batches(), str(place), **{option: spec}, schema=table.schema, compression="none")
        assert "".join(path.read_text() for path in sorted(place.glob("part*"))) == lines


@pytest.mark.parametrize("path", PAGES_WITH_CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_blocks_have_a_language_and_compile(path: Path) -> None:
    """tests/docs runs the blocks; here those that are not run are compiled, too."""
    blocks = code_blocks(path)
    if path.suffix == ".md":
        assert path.read_text(encoding="utf-8").count("```") == 2 * len(blocks)
    for block in blocks:
        assert block.language in RUN | SHOWN, block
        assert block.not_run is None or block.not_run.strip(), block
        if block.language == "python":
            compile(block.text, str(block), "exec")
        if block.language == "console":
            assert block.commands(), block
