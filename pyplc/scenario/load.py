"""Scenario files: read, checked against the declarations and the schemas, and spread over their protocols.

An error names the file, the path of the key and what is allowed there.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec

from ..checkpoints import CHECKPOINTS
from ..config import SimSettings
from . import declare as d
from .edit import HANDSHAKE, EditError, check_path, kind_of
from .faults import frame_names

PACKAGE = Path(__file__).parents[1] / "data" / "scenarios"
"""The scenarios that come with pyplc."""

FAULTS: dict[str, type[d.Fault]] = {str(kind.__struct_config__.tag): kind for kind in get_args(d.AnyFault)}
"""Every fault by the word of its `do`."""

SERIAL = ("dieter", "celeron55", "arduino")
VEHICLE_ONLY = ("dieter", "celeron55")
"""Devices that no charger can have."""

USUAL: dict[str, Any] = {
    "vehicle": {"target_soc": 45.1},
    "plant": {"battery": {"soc_percent": 45.0}},
}
"""Settings of every scenario unless it says otherwise: a few seconds of charging."""


class ScenarioError(Exception):
    """A scenario file cannot be used; the text says where and what to do."""


class Case(NamedTuple):
    """A scenario with one protocol, complete and checked."""

    id: str
    scenario: d.Scenario
    protocol: d.Protocol
    energy: d.Energy
    role: d.Role
    settings: SimSettings
    source: str | None
    file: str


def package_cases() -> list[Case]:
    """Every case that comes with pyplc."""
    return [case for file in sorted(PACKAGE.glob("*.toml")) for case in cases(file)]


def cases(path: Path) -> list[Case]:
    """The cases of a file; raises ScenarioError."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from None
    return list(parse(text, path.name if path.parent == PACKAGE else str(path)))


def parse(text: str, where: str) -> Iterator[Case]:
    """The cases in TOML text; `where` names it in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{where}: this is not TOML: {error}") from None
    try:
        file = msgspec.convert(raw, d.File)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{where}: {_explain(str(error), raw)}") from None
    seen: set[str] = set()
    for index, scenario in enumerate(file.scenario):
        for case in _spread(scenario, file, where, f"{where}: scenario[{index}] ({scenario.name})"):
            if case.id in seen:
                raise ScenarioError(f"{where}: {case.id} is there twice")
            seen.add(case.id)
            yield case


def _spread(scenario: d.Scenario, file: d.File, where: str, here: str) -> Iterator[Case]:
    role = scenario.role or file.role
    if role is None:
        raise ScenarioError(f'{here}: role is missing, here and at the top; one of: "pev", "evse"')
    energy = scenario.energy or file.energy
    protocols = scenario.protocol or file.protocol
    for protocol in [protocols] if isinstance(protocols, str) else protocols:
        if (protocol, energy) == ("din", "ac"):
            raise ScenarioError(f"{here}: DIN 70121 sessions are DC only")
        try:
            usual = merged(USUAL, told(protocol, energy))
            settings = msgspec.convert(merged(usual, scenario.settings), SimSettings)
        except msgspec.ValidationError as error:
            raise ScenarioError(f"{here}: settings: {error}") from None
        try:
            _check(scenario, protocol, energy, role)
        except EditError as error:
            raise ScenarioError(f"{here}: {error}") from None
        name = f"{protocol}-{energy}-{role}/{scenario.name}"
        yield Case(name, scenario, protocol, energy, role, settings, scenario.source or file.source, where)


def told(protocol: d.Protocol, energy: d.Energy) -> dict[str, Any]:
    """What a case's protocol and energy mean for the settings."""
    return {
        "session": {"protocols": [protocol]},
        "vehicle": {"energy": energy},
        "charger": {"energy": energy, "communication": "digital"},
    }


def merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Two tables, the second over the first."""
    out = dict(base)
    for key, value in more.items():
        old = out.get(key)
        out[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return out


def _check(scenario: d.Scenario, protocol: d.Protocol, energy: d.Energy, role: d.Role) -> None:
    """EditError for what no message of the protocol has, or what the peer does not send."""
    if scenario.device is not None and energy == "ac":
        raise EditError("device: there is none for AC")
    if scenario.device in VEHICLE_ONLY and role == "evse":
        raise EditError(f"device: {scenario.device} is a vehicle's")
    for index, fault in enumerate(scenario.fault):
        try:
            _check_fault(fault, protocol, role)
            if isinstance(fault, d.AC_ONLY if energy == "dc" else d.DC_ONLY):
                raise EditError(f"{fault.__struct_config__.tag} cannot happen in {energy.upper()}")
            if isinstance(fault, d.NEED_DEVICE) and scenario.device is None:
                raise EditError(f"{fault.__struct_config__.tag} needs a device: the scenario's key `device` names it")
            if isinstance(fault, d.Process) and fault.signal == "sigkill" and scenario.device is None:
                raise EditError("signal: simulated devices would die with the program; the key `device` names others")
            if isinstance(fault, d.Wire) and fault.how == "garbled" and scenario.device not in SERIAL:
                raise EditError("how: a broker spoils nothing; cut, frozen or slow")
        except EditError as error:
            raise EditError(f"fault[{index}]: {error}") from None
    expect = scenario.expect
    for name in [*expect.then, *expect.never]:
        kind_of(protocol, name)
    if expect.answer is not None:
        kind = kind_of(protocol, expect.answer.message)
        for path in expect.answer.fields:
            check_path(kind, path)


def _check_fault(fault: d.Fault, protocol: d.Protocol, role: d.Role) -> None:
    at = fault.at
    if at.message is not None and at.checkpoint is not None:
        raise EditError("at: message and checkpoint; one of them says where")
    if at.checkpoint is not None and at.checkpoint not in CHECKPOINTS:
        raise EditError(f"at.checkpoint: there is no checkpoint {at.checkpoint}")
    if at.message is not None:
        kind_of(protocol, at.message)
    if isinstance(fault, d.Lose) and fault.frames not in frame_names():
        raise EditError(f"frames: {fault.frames!r} is not known; one of: {', '.join(frame_names())}")
    if isinstance(fault, d.MessageFault):
        _check_message(fault, protocol, "Res" if (role == "pev") != fault.at.to_peer else "Req")


def _check_message(fault: d.MessageFault, protocol: d.Protocol, ending: str) -> None:
    name = fault.at.message
    if name is None:
        raise EditError("at.message is missing: this fault happens to a message")
    if not name.endswith(ending):
        who = "the unit under test" if fault.at.to_peer else "the peer"
        raise EditError(f"at.message: {who} sends messages that end in {ending}, not {name}")
    if fault.at.after_s:
        raise EditError('at.after_s is for faults of the world; `do = "delay"` makes a message late')
    match fault:
        case d.Change():
            for path in [*fault.set, *fault.remove]:
                check_path(kind_of(protocol, name), path)
        case d.Replace(by=other) | d.Insert(message=other):
            for path in fault.set:
                check_path(kind_of(protocol, other), path)
            if other in HANDSHAKE:
                raise EditError(f"{other} belongs to another schema; use raw bytes")
            kind_of(protocol, other)


# errors in the words of a file


def _explain(error: str, raw: Any) -> str:
    """msgspec's message with the key's path first, and for an unknown key or word what is allowed."""
    message, _, at = error.partition(" - at `$")
    path = at.rstrip("`").lstrip(".")
    kind, data = _declared(path, raw)
    where = f"{_titled(path, raw)}: "
    if unknown := re.search(r"unknown field `(.+?)`", message):
        known = [f.name for f in msgspec.structs.fields(kind)] if kind else []
        if kind is not None and issubclass(kind, d.Fault):
            known = ["do", *known]
        near = difflib.get_close_matches(unknown.group(1), known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
        return f"{where}unknown key {unknown.group(1)}; {hint}"
    if path.endswith(".do") or "missing required field `do`" in message:
        return f"{where}{message[0].lower()}{message[1:]}; one of: {', '.join(FAULTS)}"
    if "enum value" in message and (words := _words(path, raw)):
        return f"{where}{message[0].lower()}{message[1:]}; one of: {', '.join(words)}"
    return f"{where}{message[0].lower()}{message[1:]}"


def _steps(path: str) -> list[str]:
    return re.findall(r"[^.\[\]]+", path)


def _declared(path: str, raw: Any) -> tuple[Any, Any]:
    """The declared type and the data of the table at a path."""
    kind: Any = d.File
    for step in _steps(path):
        if step.isdecimal():
            raw = raw[int(step)]
        else:
            hint = next((f.type for f in msgspec.structs.fields(kind) if f.name == step), None) if kind else None
            raw = raw.get(step) if isinstance(raw, dict) else None
            kind = _struct(hint)
        if kind in (d.Fault, *FAULTS.values()) and isinstance(raw, dict):
            kind = FAULTS.get(str(raw.get("do")), d.Fault)
    return kind, raw


def _struct(hint: Any) -> Any:
    """The struct in a hint, the first fault for the union of faults."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for part in get_args(hint) if (found := _struct(part)) is not None), None)


def _words(path: str, raw: Any) -> list[str]:
    """The words allowed for the key at a path."""
    parent, _, name = re.sub(r"\[\.\.\.\]|\[\d+\]$", "", path).rpartition(".")
    kind, _ = _declared(parent, raw)
    hint = next((f.type for f in msgspec.structs.fields(kind) if f.name == name), None) if kind else None
    return [word for word in _flat(hint) if isinstance(word, str)]


def _flat(hint: Any) -> Iterator[Any]:
    for part in get_args(hint):
        yield from _flat(part) if get_args(part) else [part]


def _titled(path: str, raw: Any) -> str:
    """A path with the scenario's name behind its number."""
    found = re.match(r"scenario\[(\d+)\]", path)
    try:
        name = raw["scenario"][int(found.group(1))]["name"] if found else None
    except (KeyError, TypeError, IndexError):
        name = None
    return path.replace(found.group(0), f"{found.group(0)} ({name})") if found and name else path or "top level"
