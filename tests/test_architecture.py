"""Architecture rules: layering, no import cycles, SQL and HTTP only in their own packages."""

from __future__ import annotations

import ast
import configparser
import re
from pathlib import Path

import pytest

from cli.arguments import COMMANDS
from core.options import OPTIONS

ROOT = Path(__file__).parent.parent
FLOORS = {
    "core": 1,
    "schemas": 2,
    "storage": 2,
    "assistant": 2,
    "services": 3,
    "web": 4,
    "handlers": 5,
    "cli": 6,
}
# Rooms in which each module has a test file of its name.
MIRRORED = tuple(FLOORS)
WITHOUT_A_TEST_FILE = {
    "assistant/demo_chinese": "texts; see tests/assistant/test_demo_conversation.py",
    "assistant/demo_english": "texts; see tests/assistant/test_demo_conversation.py",
    "assistant/demo_french": "texts; see tests/assistant/test_demo_conversation.py",
    "assistant/demo_german": "texts; see tests/assistant/test_demo_conversation.py",
    "assistant/demo_snippets": "texts; see tests/assistant/test_demo_code.py",
    "assistant/demo_spanish": "texts; see tests/assistant/test_demo_conversation.py",
    "assistant/demo_texts": "text constants of the demo, which tests/assistant/test_demo.py covers",
    "assistant/events": "types of the events that every provider's test compares",
    "core/config": "fields only; tests/cli/test_arguments.py compares them with the options",
    "handlers/account_routes": "part of the route table; see tests/handlers/test_routes.py",
    "handlers/dev": "parses and calls; see tests/services/test_seeding.py, tests/cli/test_dev.py",
    "handlers/dev_routes": "a route table; see tests/services/test_seeding.py",
    "handlers/openai_routes": "part of the route table; see tests/handlers/test_routes.py",
    "handlers/route": "the type of the rows of the route table",
    "services/demo_chats": "text constants; see tests/services/test_demonstration.py",
    "storage/seeds": "stores and reads what tests/services/test_seeding.py sends",
    "storage/steps_0_1": "SQL of old migrations, which tests/storage/test_migrations.py runs",
    "storage/steps_versions": "SQL of old migrations, which tests/storage/test_migrations.py runs",
}
FILES = sorted(path for room in FLOORS for path in (ROOT / room).glob("*.py"))


def imports(path: Path) -> set[str]:
    """The modules that a file imports: `from storage import chats` is `storage.chats`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                is_module = (ROOT / node.module / f"{alias.name}.py").exists()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_floor_imports_only_lower_ones(path: Path) -> None:
    room = path.parent.name
    for name in imports(path):
        other = name.split(".")[0]
        assert other != "quillium"
        if other in FLOORS and other != room:
            assert FLOORS[other] < FLOORS[room], name


def test_there_is_no_circle() -> None:
    modules = {
        f"{path.parent.name}.{path.stem}".removesuffix(".__init__"): imports(path) for path in FILES
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name not in done:
            for other in modules[name] & modules.keys() - {name}:
                visit(other, (*way, name))
            done.add(name)

    for name in modules:
        visit(name, ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_sql_and_http_stay_in_their_rooms(path: Path) -> None:
    room = path.parent.name
    if room != "storage":
        assert not re.search(r"\b(SELECT .* FROM|INSERT INTO|UPDATE \w+ SET)\b", path.read_text())
        assert not {"sqlite3", "sqlite_utils"} & imports(path)
    if room not in {"web", "handlers", "cli"}:
        # The assistant asks others over HTTP; it answers nobody.
        client = {"http1connection", "httputil", "iostream", "netutil", "tcpclient"}
        allowed = {f"tornado.{module}" for module in client} if room == "assistant" else set()
        used = {name for name in imports(path) if name.split(".")[0] == "tornado"}
        assert used <= allowed


def test_sql_is_put_together_of_constants_alone() -> None:
    """Values go in as parameters. What an f-string may hold is a constant, a number, or a name of
    ours from this list."""
    ours = {"folder", "order", "table", "index", "name", "schema", "source", "left", "right"}
    for path in (ROOT / "storage").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") != "execute":
                continue
            for part in ast.walk(call.args[0]):
                if isinstance(part, ast.FormattedValue) and part.format_spec is None:
                    name = ast.unparse(part.value).rpartition(".")[2]
                    assert name.isupper() or name in ours, f"{path.name}: {name}"


def test_rooms_below_the_command_line_name_no_flags_and_commands() -> None:
    """Lower rooms raise typed errors; `cli/hints.py` adds the flag or command that helps."""
    names = [name for option in OPTIONS for name in (option.flag, option.variable)]
    names += [f"quillium {command.name.split()[0]}" for command in COMMANDS]
    mention = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, names))})(?![\w-])")
    rooms = [room for room in FLOORS if room != "cli"]
    files = [path for room in rooms for path in (ROOT / room).iterdir() if path.is_file()]
    for path in files:
        if path != ROOT / "core" / "options.py":  # the table of all flags
            assert mention.findall(path.read_text()) == [], path


def test_no_room_loses_a_cancellation() -> None:
    """Python 3.11's `asyncio.wait_for` returns a result that arrives while it is cancelled."""
    assert [str(path) for path in FILES if "asyncio.wait_for(" in path.read_text()] == []


def test_files_stay_readable() -> None:
    long = {str(p): n for p in FILES if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}


def test_every_room_is_packaged() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = setup["options"]["packages"].split()
    assert sorted(listed) == sorted(f"_quillium.{room}" for room in [*FLOORS, "docs", "static"])


def test_each_module_has_a_test_file_of_its_name() -> None:
    modules = {
        f"{path.parent.name}/{path.stem}"
        for path in FILES
        if path.parent.name in MIRRORED and path.stem != "__init__"
    }
    tested = {
        name
        for name in modules
        if (ROOT / "tests" / name.replace("/", "/test_")).with_suffix(".py").exists()
    }
    assert modules - tested == WITHOUT_A_TEST_FILE.keys()
