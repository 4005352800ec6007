"""Files and functions stay small enough to be read at one sitting; what is longer is listed with its reason.

A listed exception that has shrunk below the limit fails too, so that the list stays true.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("switch", "xdp", "kernel_compat", "lab", "artifacts", "tests")

FILE_LINES = 400
C_FUNCTION_LINES = 60
PYTHON_FUNCTION_LINES = 40  # its docstring is not counted: explaining must not cost anything
TASKS_LINES = 250

# "path" or "path:function" -> why it is longer.
EXCEPTIONS: dict[str, str] = {}


def blank(match: re.Match[str]) -> str:
    """The matched text without its letters, its lines kept."""
    return "\n" * match.group().count("\n")


def c_functions(text: str) -> Iterator[tuple[str, int]]:
    """(name, lines from signature to closing brace) of each function that C text defines."""
    literals = r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    code = re.sub(rf"//[^\n]*|/\*.*?\*/|{literals}", blank, text, flags=re.DOTALL)
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", blank, code, flags=re.MULTILINE)
    depth, start, opened = 0, 0, ""
    for position, letter in enumerate(code):
        if letter == "{":
            if depth == 0:
                opened = code[start:position]
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                head = opened.strip()
                names = [
                    name for name in re.findall(r"(\w+)\s*\(", head) if name not in ("SEC", "__attribute__")
                ]
                if names and "=" not in head and head.endswith(")"):
                    begin = start + len(opened) - len(opened.lstrip())
                    yield names[0], code.count("\n", begin, position) + 1
                start = position + 1
        elif letter == ";" and depth == 0:
            start = position + 1


def python_functions(text: str) -> Iterator[tuple[str, int]]:
    """(name, lines without docstring and decorators) of each function that Python text defines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                first = node.body[0]
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node.name, lines


def sources() -> Iterator[Path]:
    yield ROOT / "tasks.py"
    for room in ROOMS:
        yield from (path for path in sorted((ROOT / room).rglob("*")) if path.suffix in (".py", ".c", ".h"))


def too_long(name: str, suffix: str, text: str) -> dict[str, int]:
    """What in a file passes a limit: "path" or "path:function" -> its lines."""
    found: dict[str, int] = {}
    lines = text.count("\n")
    if lines > (TASKS_LINES if name == "tasks.py" else FILE_LINES):
        found[name] = lines
    limit = PYTHON_FUNCTION_LINES if suffix == ".py" else C_FUNCTION_LINES
    for function, length in python_functions(text) if suffix == ".py" else c_functions(text):
        if length > limit:
            found[f"{name}:{function}"] = length
    return found


def all_too_long() -> dict[str, int]:
    found: dict[str, int] = {}
    for path in sources():
        found |= too_long(path.relative_to(ROOT).as_posix(), path.suffix, path.read_text())
    return found


def test_files_and_functions_keep_their_limits() -> None:
    offences = [f"{name}: {lines} lines" for name, lines in all_too_long().items() if name not in EXCEPTIONS]
    assert not offences, "too long (split it, or list it with its reason):\n" + "\n".join(offences)


def test_an_exception_that_has_shrunk_is_taken_off_the_list() -> None:
    now = all_too_long()
    shrunk = [name for name in EXCEPTIONS if name not in now]
    assert not shrunk, f"within the limits now, take them off EXCEPTIONS: {', '.join(shrunk)}"
    assert all(len(reason.split()) > 3 for reason in EXCEPTIONS.values()), "an exception needs a real reason"


def test_a_long_c_function_is_seen() -> None:
    body = "\n".join("    a++;" for _ in range(C_FUNCTION_LINES))
    text = (
        f'struct s {{ int a; }};\nstatic const char *x[] = {{ "}}" }};\nint long_one(int a) {{\n{body}\n}}\n'
    )
    assert too_long("switch/a.c", ".c", text) == {"switch/a.c:long_one": C_FUNCTION_LINES + 2}


def test_c_text_that_confuses_a_brace_counter() -> None:
    text = """
#define LOOP(x) for (;;) { \\
    x
// } a comment {
static const struct ops table = {
    .name = "{", .letter = '}',
};
int
first(int a)
{
    if (a) { return 1; } /* } */
    return '{';
}
static inline void second(void) {}
"""
    assert list(c_functions(text)) == [("first", 6), ("second", 1)]


def test_a_long_python_function_is_seen_and_its_docstring_is_free() -> None:
    doc = '    """First.\n\n' + "    more\n" * 50 + '    """\n'
    short = "def f() -> None:\n" + doc + "    pass\n" * 38
    assert not too_long("lab/a.py", ".py", short)
    assert too_long("lab/a.py", ".py", short + "    pass\n" * 3) == {"lab/a.py:f": 42}


def test_a_long_file_is_seen() -> None:
    assert too_long("lab/a.py", ".py", "\n" * (FILE_LINES + 1)) == {"lab/a.py": FILE_LINES + 1}
