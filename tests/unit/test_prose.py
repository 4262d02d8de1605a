"""The mechanical part of the style: docstrings begin with a verb or a noun, and some words are not used.

The rest of the style, that a sentence is understood at first reading, is for reviewers.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Coverage is not measured: these tests read source files instead of running them.
pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "pyspark_logs"
TESTS = [
    path for name in ("protocol", "reference", "spark", "support") for path in (ROOT / "tests" / name).glob("*.py")
]
MODULES = sorted(
    [*SOURCE.rglob("*.py"), *(ROOT / "examples").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py"), *TESTS]
)
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "sample_data" / "README.md"])

# Words that begin a clause, a fragment, or a sentence about something said before.
NOT_FIRST = {
    "what", "where", "which", "whether", "how", "who", "whose", "when", "why", "that", "if", "as", "by", "with", "without",
    "from", "to", "in", "on", "of", "for", "at", "it", "they", "those", "these", "this", "such", "nothing", "nobody",
    "everything", "anything", "somebody", "not", "and", "or", "but", "also", "always", "never", "then", "there", "so",
}  # fmt: skip

# Docstrings say what a function does: "Returns the files", not "Return the files".
IMPERATIVES = {
    "add", "ask", "be", "begin", "build", "call", "change", "check", "choose", "clear", "close", "collect", "compare",
    "compile", "compute", "convert", "count", "cut", "decide", "decode", "delete", "drop", "encode", "end", "evaluate",
    "explain", "fill", "find", "finish", "get", "give", "go", "infer", "join", "keep", "learn", "let", "look", "make", "match",
    "measure", "merge", "move", "open", "pack", "parse", "print", "prune", "put", "raise", "read", "refuse", "register",
    "remove", "render", "replace", "return", "run", "say", "search", "send", "show", "skip", "sort", "split", "start",
    "store", "take", "tell", "try", "turn", "undo", "wait", "walk", "write", "yield",
}  # fmt: skip
FIRST_IMPERATIVES = {word.capitalize() for word in IMPERATIVES}

# A phrase that is not used -> what to write instead.
BANNED = {
    r"(?<!in )(?<!takes )(?<!take )(?<!decimal )(?<!took )(?<!-)\bplaces?\b": "offset, index, position, path, prefix or directory",
    r"\brooms?\b": "package, module or layer",
    r"\bdoors?\b": "entry point or API",
    r"\b(?:house|cellar|drawer)\b": "package",
    r"\b(?<!type)faces?\b": "API or interface",
    r"\bof (?:one's|ones) own\b": "user-defined or custom",
    r"\bof (?:the|a) user's own\b": "user-defined or custom",
    r"\b(?<!look-)behind\b": "after, below or right of",
    r"\bin front of\b": "before, above or left of",
    r"\b(?:nobody|somebody|nowhere)\b": "the subject that is meant",
    r"\bthe letter\b": "the exact text",
}

NAMED_PLACE = re.compile(r"(?:^|_)places?(?:_|$)")


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring of a module."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text is not None:
                yield getattr(node, "lineno", 1), text


def first_word_problem(text: str, what: str) -> str | None:
    word = re.match(r"[\s`*(\"']*([A-Za-z]+)", text)
    if word is None:
        return None
    if word[1].lower() in NOT_FIRST:
        return f"{what} begins with {word[1]!r}; begin with a verb in the third person or a noun"
    if word[1] in FIRST_IMPERATIVES and what == "docstring":
        return f"{what} begins with the imperative {word[1]!r}; use the third person"
    return None


def entries(text: str) -> Iterator[str]:
    """Yield the descriptions in the sections Args, Returns, Yields and Attributes of a docstring."""
    for section in re.finditer(
        r"^(?:Args|Returns|Yields|Attributes):\n((?:[ ]{4}.*\n?|\n)+)", text, flags=re.MULTILINE
    ):
        for entry in re.finditer(r"^ {4}(?! )(?:[\w, *]+: )?(.+)$", section[1], flags=re.MULTILINE):
            yield entry[1]


def docstring_problems(source: str) -> list[str]:
    """Return what is wrong with the docstrings of a module."""
    found = []
    for line, text in docstrings(ast.parse(source)):
        problems = [first_word_problem(text, "docstring"), *(first_word_problem(one, "entry") for one in entries(text))]
        found += [f"line {line}: {problem}" for problem in problems if problem]
    return found


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of the comments and string literals of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def banned_words(lines: Iterator[tuple[int, str]]) -> list[str]:
    """Return the banned words of a text, with what to write instead."""
    return [
        f"line {line}: {found[0]!r}: write {instead}"
        for line, text in lines
        for pattern, instead in BANNED.items()
        for found in re.finditer(pattern, text, flags=re.IGNORECASE)
    ]


def term_problems(source: str) -> list[str]:
    """Return the banned words and names of a module.

    Most modules have none in their text, which is searched at once, so that they need not be divided into tokens. A comment or
    string begins with its mark or quote, so that no pattern depends on the text before it.
    """
    found = banned_words(prose_of(source)) if re.search("|".join(BANNED), source, flags=re.IGNORECASE) else []
    if "place" in re.sub("replace|placeholder", "", source):
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        names = {token.string for token in tokens if token.type == tokenize.NAME}
        found += [f"the name {name}" for name in sorted(names) if NAMED_PLACE.search(name)]
    return found


def problems_by_file(paths: list[Path], problems: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """Return the problems of each file that has any."""
    found = {str(path.relative_to(ROOT)): problems(path.read_text(encoding="utf-8")) for path in paths}
    return {path: texts for path, texts in found.items() if texts}


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    assert problems_by_file(MODULES, docstring_problems) == {}


def test_modules_use_the_terms_of_the_field() -> None:
    assert problems_by_file(MODULES, term_problems) == {}


def test_pages_use_the_terms_of_the_field() -> None:
    def problems(page: str) -> list[str]:
        return banned_words(iter(enumerate(page.splitlines(), 1)))

    assert problems_by_file(PAGES, problems) == {}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('"""What a job is."""', "begins with 'What'"),
        ('def f():\n    """Whether it is."""', "begins with 'Whether'"),
        ('def f():\n    """Return files."""', "imperative 'Return'"),
        (
            'def f(a):\n    """Returns files.\n\n    Args:\n        a: where it is.\n    """',
            "entry begins with 'where'",
        ),
        (
            'class C:\n    """A job.\n\n    Attributes:\n        a: a path.\n        b: whether so.\n    """',
            "'whether'",
        ),
        ('def f():\n    """Files.\n\n    Returns:\n        Which files.\n    """', "entry begins with 'Which'"),
    ],
)
def test_a_bad_docstring_is_found(source: str, problem: str) -> None:
    (found,) = docstring_problems(source)
    assert problem in found


@pytest.mark.parametrize(
    "text", ["the doors", "its place in it", "behind the line", "a format of one's own", "Nobody asks"]
)
def test_a_banned_word_is_found(text: str) -> None:
    assert len(term_problems(f"x = 1  # {text}\n")) == 1
    assert len(term_problems(f'x = "{text}"\n')) == 1


@pytest.mark.parametrize("text", ["edited in place", "two decimal places", "a placeholder", "the surface", "typeface"])
def test_a_word_that_holds_a_banned_one_is_allowed(text: str) -> None:
    assert term_problems(f"x = 1  # {text}\n") == []


def test_a_name_with_place_is_found() -> None:
    assert all(NAMED_PLACE.search(name) for name in ("place", "places", "file_places", "place_of"))
    assert not any(NAMED_PLACE.search(name) for name in ("replace", "placeholder", "replaces"))
    assert term_problems("def file_places(): ...") == ["the name file_places"]
