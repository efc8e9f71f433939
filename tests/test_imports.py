"""Who may import whom: the storeys of the tower as data, held against the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "pyplc"

FOUNDATION = {"units", "clock", "mqtt", "checkpoints", "record", "v2gtp", "explain", "__init__"}
"""Below every storey; of each other they import only what `RULES` says."""

STATE_MACHINES = {"v2g.din.ev", "v2g.din.evse", "v2g.vehicle", "v2g.charger", "slac.ev", "slac.evse", "station"}

RULES: dict[str, set[str]] = {
    "units": set(),
    "clock": set(),
    "checkpoints": set(),
    "record": {"checkpoints"},
    "v2gtp": set(),
    "explain": set(),
    "exi": {"exi"},
    "link": {"link", "record"},
    "slac": {"slac", "link", "record", "clock"},
    "sdp": {"sdp", "record", "v2gtp"},
    "v2g": {"v2g", "exi", "record", "units", "v2gtp"},
    "hw": {"hw", "plant", "record", "explain", "mqtt", "checkpoints", "__init__"},
    "mqtt": set(),
    "plant": {"plant", "hw.ports"},
    "station": {"station", "v2g.control", "hw.ports", "hw.bundles", "record"},
    "capture": {"capture", "link", "slac", "sdp", "v2g", "exi", "record", "v2gtp", "units"},
    "service": {"service", "capture", "exi", "mqtt", "record", "__init__"},
    "wireshark": {"wireshark", "capture", "exi", "link", "sdp", "v2g", "__init__"},
}
"""A room, and what it may import. tower, simulation, network, config and cli put things together: anything."""


def modules() -> dict[str, Path]:
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = file
    return found


def imports(name: str, file: Path) -> set[str]:
    """The modules of pyplc that a module imports, anywhere in it; types-only imports count too."""
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    if name == "__init__":
        package = []
    known = modules()
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = [*base, *(node.module.split(".") if node.module else [])]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pyplc":
            target = node.module.split(".")[1:]
        else:
            continue
        for alias in node.names:
            longer = ".".join([*target, alias.name])
            found.add(longer if longer in known else ".".join(target) or "__init__")
    return found


def allowed(target: str, rule: set[str]) -> bool:
    return any(target == room or target.startswith(f"{room}.") for room in rule)


@pytest.mark.parametrize("room", RULES)
def test_a_room_imports_only_what_its_storey_may(room: str) -> None:
    wrong = {
        f"{name} imports {target}"
        for name, file in modules().items()
        if name == room or name.startswith(f"{room}.")
        for target in imports(name, file)
        if not allowed(target, RULES[room])
    }
    assert not wrong


def test_no_state_machine_is_known_to_captures() -> None:
    for name, file in modules().items():
        if name.startswith("capture"):
            assert not [t for t in imports(name, file) if allowed(t, STATE_MACHINES)]


def test_no_session_knows_the_plant_or_a_driver() -> None:
    for name, file in modules().items():
        if name.split(".")[0] in ("v2g", "sdp", "slac", "link", "station"):
            assert not [t for t in imports(name, file) if allowed(t, {"plant", "hw.simulated", "hw.registry"})]


def test_help_loads_no_verb() -> None:
    code = "import sys; import pyplc.cli.main; print(*[m for m in sys.modules if m.split('.')[0] in sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", code, "rich", "asyncio", "msgspec", "dpkt"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
    code = "import sys; import pyplc.cli.main; print(*[m for m in sys.modules if m.startswith('pyplc.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"pyplc.cli", "pyplc.cli.main"}
