"""The reference pages of devices, of the MQTT topics, and of pyPLC's settings file."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
from declared import MADE, remarks_of, row_of, toml

from pyplc.hw import can_frames
from pyplc.hw import mqtt as clean
from pyplc.hw import pyplc_mqtt as pyplcs
from pyplc.hw.pyplc_status import MEANINGS
from pyplc.hw.registry import DRIVERS, driver
from pyplc.pyplc_ini import KEYS

INTRODUCTION = (
    "`[hardware]` says which device does which job, `[devices.<name>]` has its settings; how to go about it is in "
    "[devices](../how-to/devices.md). A device is made once, whatever it does; two of one kind get names of their "
    "own and the key `driver`. What is not named stays simulated. The wire formats stand at the top of the modules in "
    "`pyplc/hw`, and the counterpart of each at the far end of its wire is in `pyplc/hw/emulated`.\n"
)
INI = (
    "What `pyplc config import pyPlc.ini` makes of each key. Without a key of ours it is explained why none is "
    "needed; a value other than the template's is then said as a remark.\n"
)


def devices() -> str:
    """Every driver: what it can be, and its keys."""
    lines = [
        MADE,
        "# Devices\n",
        INTRODUCTION,
        "| name | what it is | a vehicle's | a charger's | extra |",
        "|---|---|---|---|---|",
    ]
    for name in DRIVERS:
        found = driver(name)
        parts = (", ".join(found.parts.get(role, ())) for role in ("vehicle", "charger"))
        lines.append(row_of(f"`{name}`", found.summary, *parts, found.extra or ""))
    for name in DRIVERS:
        if fields := msgspec.structs.fields(driver(name).Settings):
            lines += ["", f"## [devices.{name}]\n", *keys(driver(name).Settings, fields)]
    return "\n".join([*lines, "", *topics(), *frames()])


def keys(kind: type[msgspec.Struct], fields: tuple[Any, ...], path: str = "") -> list[str]:
    """The keys of a device and of the tables below it."""
    lines = (
        []
        if path
        else [f"{(inspect.getdoc(kind) or '').replace(chr(10), ' ')}\n", "| key | default | |", "|---|---|---|"]
    )
    remarks = remarks_of(kind)
    for field in fields:
        inner = struct_in(field.type)
        name = f"{path}{field.name}"
        if inner is not None and "tuple" not in str(field.type):
            lines += keys(inner, msgspec.structs.fields(inner), f"{name}.")
        else:
            lines.append(row_of(f"`{name}`", f"`{default_of(field)}`", remarks.get(field.name, "").replace("|", "or")))
    return lines


def struct_in(hint: Any) -> type[msgspec.Struct] | None:
    """The table that a key is, if it is one."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next((found for part in getattr(hint, "__args__", ()) if (found := struct_in(part)) is not None), None)


def default_of(field: Any) -> str:
    if field.default is not msgspec.NODEFAULT:
        return toml(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        made = field.default_factory()
        return "five converters" if made and isinstance(made, tuple) else toml(made)
    return "(needed)"


def topics() -> list[str]:
    """Both sets of MQTT topics."""
    lines = ["## MQTT: the clean set\n", "Below `devices.mqtt.topic`. " + text(clean) + "\n"]
    lines += ["| topic | who sends it | of | what |", "|---|---|---|---|"]
    for topic in clean.TOPICS:
        what = f"{topic.payload}, {topic.unit}" if topic.unit and topic.unit not in topic.payload else topic.payload
        lines.append(row_of(f"`{topic.name}`", topic.sender, ", ".join(topic.parts), what))
    lines += ["", "## MQTT: pyPLC's topics\n", text(pyplcs) + "\n"]
    return lines


def text(module: Any) -> str:
    """A module's first words, a block of topics as code."""
    paragraphs = (module.__doc__ or "").strip().split("\n\n")
    return "\n\n".join(p if p.startswith("    ") else p.replace("\n", " ") for p in paragraphs)


def frames() -> list[str]:
    lines = [
        "## Display frames on CAN\n",
        text(can_frames) + "\n",
        "Info numbers, as pyPLC has them:\n",
        "| number | meaning |",
    ]
    return [*lines, "|---|---|", *(row_of(str(number), said) for number, said in sorted(MEANINGS.items())), ""]


def pyplc_ini() -> str:
    """Every key of pyPLC's settings file."""
    lines = [
        MADE,
        "# pyPLC's settings\n",
        INI,
        "| pyPlc.ini | template | becomes | |",
        "|---|---|---|---|",
    ]
    for key in KEYS:
        lines.append(row_of(f"`{key.name}`", f"`{key.template}`", f"`{key.becomes}`" if key.becomes else "", key.why))
    return "\n".join([*lines, ""])
