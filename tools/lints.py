"""The house's own rules, read off the syntax tree: who may import, write and ask what.

Every rule is one function from a module to its findings. `python -m tools.lints` prints them.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

# Imports only ever point down this list.
HOUSE = (
    "cli",
    "config",
    "api",
    "imports",
    "batches",
    "exports",
    "retention",
    "evidence",
    "receipts",
    "delivery",
    "providers",
    "channels",
    "delivery_records",
    "communications",
    "buildings",
    "access",
    "queue",
    "storage",
    "kit",
)
# They stand apart: they know only the kit, and only the command line (and the tests) knows them.
APART = ("sandbox", "embedded")

EVENT_WRITER = PurePosixPath("src/trackcenter/communications/events.py")
EVENT_MODELS = re.compile(r"trackcenter\.communications(\.models)?\.(Event|EventPayload)")
CREATES = {"create", "acreate", "bulk_create", "get_or_create", "update_or_create"}
EVENT_SQL = re.compile(
    r'(insert\s+into|copy|update|delete\s+from|truncate(\s+table)?)\s+"?communication_event'
    r'|update\s+"?communications"?\s(?:(?!\bwhere\b)[^;])*\bdelivery_status"?\s*=',
    re.IGNORECASE,
)

DEFERS = re.compile(r"(batch_)?defer(_jobs?|_periodic_job)?(_async)?")

NINJA_VERBS = {"get", "post", "put", "patch", "delete", "api_operation"}

BUILDING_MODELS = {
    "Attachment",
    "Attempt",
    "AuditNote",
    "Batch",
    "Building",
    "Communication",
    "CommunicationAttachment",
    "CommunicationAttempt",
    "CommunicationAuditNote",
    "CommunicationBatch",
    "CommunicationEvent",
    "Event",
    "EventPayload",
    "Unit",
    "UnitBill",
    "UnitDeliveryRecord",
}
MANAGERS = {"objects", "_default_manager", "_base_manager"}
SHORTCUTS = {"get_object_or_404", "get_list_or_404", "aget_object_or_404"}
VIEWERS = {"visible", "user"}
# Below the data of buildings: these know no building, or decide who sees which.
BELOW_BUILDINGS = {"access", "queue", "storage", "kit", *APART}


@dataclass(frozen=True, order=True)
class Finding:
    """One broken rule, printed as `path:line: what is wrong and what to do instead`."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Module:
    """One parsed Python file; `path` is relative to the repository's root."""

    path: PurePosixPath
    tree: ast.Module

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    @property
    def in_product(self) -> bool:
        return self.path.parts[:2] == ("src", "trackcenter")

    @property
    def in_tests(self) -> bool:
        return self.path.parts[0] == "tests"

    @property
    def in_migrations(self) -> bool:
        return "migrations" in self.path.parts

    @property
    def subject(self) -> str:
        """The folder (or the file beside the folders) of the product that this is part of."""
        return PurePosixPath(self.path.parts[2]).stem

    @cached_property
    def imports(self) -> list[tuple[ast.stmt, str, str]]:
        """Every import as (statement, name here, full dotted name)."""
        found: list[tuple[ast.stmt, str, str]] = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    here = alias.asname or alias.name.partition(".")[0]
                    found.append((node, here, alias.name))
            elif isinstance(node, ast.ImportFrom):
                base = self._base_of(node)
                found += [(node, it.asname or it.name, f"{base}.{it.name}") for it in node.names]
        return found

    def _base_of(self, node: ast.ImportFrom) -> str:
        if node.level == 0:
            return node.module or ""
        folders = self.path.parent.parts[1:] if self.in_product else self.path.parent.parts
        here = folders[: len(folders) - node.level + 1]
        return ".".join([*here, *([node.module] if node.module else [])])

    @cached_property
    def _names(self) -> dict[str, str]:
        names = {}
        for node, here, full in self.imports:
            plain = isinstance(node, ast.Import) and full.startswith(f"{here}.")
            names[here] = here if plain else full
        if self.path == PurePosixPath("src/trackcenter/communications/models.py"):
            for statement in self.tree.body:
                if isinstance(statement, ast.ClassDef):
                    names[statement.name] = f"trackcenter.communications.models.{statement.name}"
        return names

    def full_name(self, node: ast.AST) -> str:
        """The dotted name an expression stands for, through the imports; "" when it is no name."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self.full_name(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""

    def functions_around(self, node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The functions a node lies in, the innermost first."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the last part of the called name."""
        for node in self.nodes:
            if isinstance(node, ast.Call):
                if isinstance(node.func, ast.Attribute):
                    yield node, node.func.attr
                elif isinstance(node.func, ast.Name):
                    yield node, node.func.id

    def texts(self) -> Iterator[ast.Constant]:
        """Every string that is not a docstring, the fixed pieces of f-strings among them."""
        for node in self.nodes:
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and not isinstance(self.parents[node], ast.Expr)
            ):
                yield node

    def finding(self, node: ast.expr | ast.stmt, message: str) -> Finding:
        return Finding(str(self.path), node.lineno, message)


Rule = Callable[[Module], Iterator[Finding]]


def imports_point_down(module: Module) -> Iterator[Finding]:
    """A folder imports only from those below it in the house; the ones apart know only the kit."""
    if not module.in_product or len(module.path.parts) < 3:
        return
    here = module.subject
    if here not in (*HOUSE, *APART, "__init__", "__main__"):
        problem = f"'{here}' has no place in the house; the list is in tools/lints.py"
        yield Finding(str(module.path), 1, problem)
        return
    for node, _, full in module.imports:
        parts = full.split(".")
        if parts[0] in ("tests", "tools", "benchmarks"):
            yield module.finding(node, f"the product does not import {parts[0]}")
        if parts[0] != "trackcenter" or len(parts) < 2:
            continue
        there = parts[1]
        if there in (here, "__version__") or here == "__main__":
            continue
        if there in APART and here != "cli":
            yield module.finding(node, f"only cli.py and the tests start {there}")
        elif here in APART and there != "kit":
            yield module.finding(node, f"{here} stands apart and may import kit only, not {there}")
        elif here in HOUSE and there in HOUSE and HOUSE.index(there) < HOUSE.index(here):
            yield module.finding(node, f"{here} lies below {there} and must not import it")


def one_writer_of_events(module: Module) -> Iterator[Finding]:
    """Only communications/events.py inserts events and sets a status."""
    if not module.in_product or module.path == EVENT_WRITER or module.in_migrations:
        return
    instead = "; use communications.events.append"
    for node in module.nodes:
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "delivery_status"
            and isinstance(node.ctx, ast.Store)
        ):
            yield module.finding(node, f"sets delivery_status{instead}")
    for call, name in module.calls():
        if EVENT_MODELS.fullmatch(module.full_name(call.func)):
            yield module.finding(call, f"makes an event{instead}")
        elif name in CREATES and isinstance(call.func, ast.Attribute):
            owner = call.func.value
            through = owner.value if isinstance(owner, ast.Attribute) else owner
            related = isinstance(owner, ast.Attribute) and owner.attr in ("events", "event_set")
            if EVENT_MODELS.fullmatch(module.full_name(through)) or related:
                yield module.finding(call, f"inserts an event{instead}")
        if _writes_status(call, name):
            yield module.finding(call, f"sets delivery_status{instead}")
    for text in module.texts():
        if EVENT_SQL.search(str(text.value)):
            yield module.finding(text, f"SQL that writes events or delivery_status{instead}")


def _writes_status(call: ast.Call, name: str) -> bool:
    if name in ("update", "aupdate"):
        return any(keyword.arg == "delivery_status" for keyword in call.keywords)
    if name in ("bulk_update", "abulk_update", "setattr"):
        inside = (part for argument in call.args for part in ast.walk(argument))
        named = (part for keyword in call.keywords for part in ast.walk(keyword))
        return any(
            isinstance(part, ast.Constant) and part.value == "delivery_status"
            for part in (*inside, *named)
        )
    return False


def jobs_leave_through_the_queue(module: Module) -> Iterator[Finding]:
    """Only queue/ defers procrastinate jobs."""
    if not module.in_product or module.subject == "queue":
        return
    for call, name in module.calls():
        # `defer("column")` is Django's; procrastinate's takes the job's arguments by name.
        if DEFERS.fullmatch(name) and not (name == "defer" and call.args):
            yield module.finding(call, "defers a job; publish it through trackcenter.queue")


def storage_is_behind_its_folder(module: Module) -> Iterator[Finding]:
    """Only storage/ imports obstore."""
    if not module.in_product or module.subject == "storage":
        return
    for node, _, full in module.imports:
        if full.split(".")[0] == "obstore":
            yield module.finding(node, "imports obstore; use trackcenter.storage")


def operations_are_named(module: Module) -> Iterator[Finding]:
    """Every API operation has an explicit operation_id: generated clients name methods by it."""
    if not module.in_product or not any(
        full.split(".")[0] == "ninja" for _, _, full in module.imports
    ):
        return
    for node in module.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if (
                isinstance(decorator, ast.Call)
                and isinstance(decorator.func, ast.Attribute)
                and decorator.func.attr in NINJA_VERBS
                and not any(keyword.arg == "operation_id" for keyword in decorator.keywords)
            ):
                yield module.finding(node, f"the operation {node.name} has no operation_id")


def questions_start_from_what_is_visible(module: Module) -> Iterator[Finding]:
    """In api.py and selectors.py, buildings' data is asked for through what the actor may see.

    Good are `Model.objects.visible_to(…)`, and anything in a function that takes `visible` or
    `user` and uses it.
    """
    if (
        not module.in_product
        or module.path.name not in ("api.py", "selectors.py")
        or module.subject in BELOW_BUILDINGS
    ):
        return
    for node in module.nodes:
        model = _asked_model(module, node)
        if model and isinstance(node, ast.expr) and not _knows_the_viewer(module, node):
            instead = "start from visible_to(…), or take `visible` and use it"
            yield module.finding(node, f"asks for {model} of any building; {instead}")


def _asked_model(module: Module, node: ast.AST) -> str:
    """The model that an expression reads without visible_to; "" when it does not."""
    if isinstance(node, ast.Attribute) and node.attr in MANAGERS:
        parent = module.parents.get(node)
        if isinstance(parent, ast.Attribute) and parent.attr == "visible_to":
            return ""
        name = module.full_name(node.value).rpartition(".")[2]
        return name if name in BUILDING_MODELS else ""
    if isinstance(node, ast.Call):
        called = module.full_name(node.func).rpartition(".")[2]
        if called in SHORTCUTS and node.args:
            name = module.full_name(node.args[0]).rpartition(".")[2]
            return name if name in BUILDING_MODELS else ""
        if module.path.name == "selectors.py" and isinstance(node.func, ast.Attribute):
            return "rows by SQL" if node.func.attr in ("execute", "raw", "stream") else ""
    return ""


def _knows_the_viewer(module: Module, node: ast.AST) -> bool:
    for function in module.functions_around(node):
        arguments = function.args
        names = {each.arg for each in (*arguments.posonlyargs, *arguments.args)}
        names |= {each.arg for each in arguments.kwonlyargs}
        used = {part.id for part in ast.walk(function) if isinstance(part, ast.Name)}
        if names & VIEWERS & used:
            return True
    return False


def times_have_zones(module: Module) -> Iterator[Finding]:
    """No naive datetimes."""
    for call, _ in module.calls():
        name = module.full_name(call.func)
        now = name.endswith("datetime.now") and not call.args and not call.keywords
        if now or name.endswith(("datetime.utcnow", "datetime.utcfromtimestamp")):
            yield module.finding(call, "a time without a zone; use trackcenter.kit.clock.now()")


def tests_wait_for_conditions(module: Module) -> Iterator[Finding]:
    """No test sleeps for a fixed time."""
    if not module.in_tests:
        return
    for call, _ in module.calls():
        if module.full_name(call.func) in ("time.sleep", "asyncio.sleep"):
            yield module.finding(call, "sleeps; wait for the condition with a deadline instead")


RULES: tuple[Rule, ...] = (
    imports_point_down,
    one_writer_of_events,
    jobs_leave_through_the_queue,
    storage_is_behind_its_folder,
    operations_are_named,
    questions_start_from_what_is_visible,
    times_have_zones,
    tests_wait_for_conditions,
)


def check_source(path: str, source: str) -> list[Finding]:
    """Every finding in one file; `path` is relative to the repository's root, with slashes."""
    try:
        module = Module(PurePosixPath(path), ast.parse(source, filename=path))
    except SyntaxError as problem:
        return [Finding(path, problem.lineno or 1, f"not Python: {problem.msg}")]
    return sorted(finding for rule in RULES for finding in rule(module))


def check_tree(root: Path) -> list[Finding]:
    """Every finding in the Python files of the product, its tests, tools and benchmarks."""
    findings: list[Finding] = []
    for folder in ("src", "tests", "tools", "benchmarks"):
        for file in sorted((root / folder).rglob("*.py")):
            path = file.relative_to(root).as_posix()
            if "node_modules" not in file.parts:
                findings += check_source(path, file.read_text(encoding="utf-8"))
    return findings


if __name__ == "__main__":
    found = check_tree(Path(__file__).resolve().parent.parent)
    print("\n".join(map(str, found)))
    sys.exit(1 if found else 0)
