"""pyPLC's settings file to ours: every key of `pyPlc.ini` with what becomes of it.

`KEYS` (data/pyplc-ini.toml) is the table for people and for the manual; `convert` makes the tables of a TOML file.
Values mean what they mean to pyPLC at commit 079cd68.
"""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

Tables = dict[str, Any]


class IniError(Exception):
    """This is no pyPlc.ini; the text says why."""


class Key(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A key of pyPLC: its template's value, the keys it becomes (none: it is explained), and what there is to know."""

    name: str
    template: str
    becomes: str = ""
    why: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    key: tuple[Key, ...]


KEYS = msgspec.toml.decode((Path(__file__).parent / "data" / "pyplc-ini.toml").read_bytes(), type=_File).key
"""The 35 keys of pyPLC's template."""

VERBS = {"PevMode": "ev", "EvseMode": "evse"}
OUTPUTS = {"dieter": "dieter", "beaglebone": "gpio", "celeron55device": "celeron55", "mqtt": "pyplc-mqtt"}
LOCKS = ("celeron55", "pyplc-mqtt")
INPUTS = {"dieter": "dieter", "none": "reported", "celeron55device": "celeron55", "mqtt": "pyplc-mqtt"}
BATTERIES = {"none": "load", "mqtt": "pyplc-mqtt", "celeron55device": "celeron55", "chademo": "load"}
LINES = {"dieter": "19200", "serial-oled": "19200", "celeron55": "115200"}
"""Serial devices and their speed."""
BULB_V = 230.0
"""pyPLC's fixed battery voltage, the lamp's too."""
DEMO_A = 100.0
"""pyPLC's demo limit of a supply and of a battery."""
SUPPLY = {"max_voltage": 450.0, "max_current": 200.0, "max_power": 60_000.0}
"""What pyPLC offers as a charger."""
PERCENT_PER_S = 12.0
"""pyPLC's simulated state of charge goes from 20 to 98 in about 6.5 s."""


class Converted(NamedTuple):
    """The verb, the tables of its file, and remarks: what was not taken over and why, what to look at."""

    verb: str
    tables: Tables
    remarks: list[str]


def convert(text: str) -> Converted:
    """The settings of a pyPlc.ini; raises IniError."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise IniError(f"this is no ini file: {error}") from None
    if not parser.has_section("general"):
        raise IniError("there is no section [general], as pyPlc.ini has it")
    return _Converter(dict(parser["general"])).run()


class _Converter:
    """Takes one key after the other; what was taken is known at the end."""

    def __init__(self, given: dict[str, str]) -> None:
        self._given = given
        self._template = {key.name: key.template for key in KEYS}
        self.tables: Tables = {}
        self.remarks: list[str] = []

    def run(self) -> Converted:
        verb = VERBS.get(self.text("mode"), "listen")
        self.set("network.interface", self.text("eth_interface"))
        {"ev": self.vehicle, "evse": self.charger, "listen": self.listener}[verb]()
        if self.yes("log_the_evse_mac_to_file") or verb == "listen":
            self.set("record.folder", "results")
        self.explain()
        return Converted(verb, self.tables, self.remarks)

    def text(self, name: str) -> str:
        return self._given.get(name, self._template[name]).strip()

    def yes(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in configparser.ConfigParser.BOOLEAN_STATES:
            raise IniError(f"{name} = {value}: expected yes or no")
        return configparser.ConfigParser.BOOLEAN_STATES[value]

    def number(self, name: str) -> float:
        try:
            return float(self.text(name))
        except ValueError:
            raise IniError(f"{name} = {self.text(name)}: expected a number") from None

    def one(self, name: str, known: dict[str, str]) -> str:
        value = self.text(name)
        if value not in known:
            raise IniError(f"{name} = {value}: expected one of {', '.join(known)}")
        return known[value]

    def set(self, path: str, value: Any) -> None:
        table = self.tables
        *rooms, key = path.split(".")
        for room in rooms:
            table = table.setdefault(room, {})
        table[key] = value

    # the roles

    def vehicle(self) -> None:
        output, inlet = self.one("digital_output_device", OUTPUTS), self.one("analog_input_device", INPUTS)
        battery = self.one("charge_parameter_backend", BATTERIES)
        self.set("hardware.pilot", output)
        self.set("hardware.contactor", output)
        self.set("hardware.lock", output if output in LOCKS else "none")
        self.set("hardware.inlet", inlet)
        self.set("hardware.battery", battery)
        if output == "gpio":
            self.set("devices.gpio.state_c", "P9_41")
            self.set("devices.gpio.contactors", ["P9_17"])
        reported = self.yes("use_evsepresentvoltage_for_precharge_end")
        self.set("vehicle.precharge_by", "reported" if reported else "measured")
        if inlet == "reported" and not reported:
            self.remarks.append(
                'vehicle.precharge_by = "measured", but nothing is measured: analog_input_device = none'
            )
        self.set("vehicle.precharge_difference", min(self.number("u_delta_max_for_end_of_precharge"), 20.0))
        self.battery(battery)
        if self.yes("light_bulb_demo"):
            self.set("vehicle.bulb", {"voltage": BULB_V, "current": 1.0, "delay": 6.6})
        if self.yes("display_via_serial"):
            self.set("hardware.display", output if output in ("dieter", "celeron55") else "serial-oled")
        self.wires()

    def battery(self, name: str) -> None:
        target = self.number("charge_target_voltage")
        if name == "load":
            load = {"voltage": BULB_V, "max_voltage": target, "max_current": DEMO_A}
            if self.yes("soc_simulation"):
                load["percent_per_s"] = PERCENT_PER_S
            self.set("devices.load", load)
            self.remarks.append(
                f"the battery is a load with stated figures, {BULB_V:g} V before the charge, as in pyPLC's code; "
                "with a car, name a device that measures it"
            )
        else:
            self.set(f"devices.{name}.battery", {"max_voltage": target, "max_current": DEMO_A})
            self.remarks.append(f"devices.{name}.battery: set the limits of your battery, pyPLC has none in its file")
        if self.text("charge_parameter_backend") == "chademo":
            self.remarks.append(
                "charge_parameter_backend = chademo: there is no CHAdeMO bridge; a load stands in its place"
            )

    def charger(self) -> None:
        if self.yes("soc_callback_enabled"):
            self.set("charger.energy", "ac")
            self.set("charger.communication", "soc")
            self.set("soc.endpoint", self.text("soc_callback_endpoint"))
            self.set("soc.fallback_capacity", self.number("soc_fallback_energy_capacity") * 10)
            return
        cape = self.one("evsemode_environment", {"none": "", "focccicape": "stepped"})
        mqtt = self.text("charge_parameter_backend") == "mqtt" and not self.yes("evse_simulate_precharge")
        supply = cape or ("pyplc-mqtt" if mqtt else "simulated")
        self.set("hardware.supply", supply)
        shows = []
        if supply == "stepped":
            self.set("hardware.load", "stepped")
            self.set("charger.discharge", 5.0)
            shows += ["can-display", "gpio"]
            self.set("devices.gpio", {"button": "!P9_30", "held": ["P9_28"]})
        elif supply == "pyplc-mqtt":
            self.set("devices.pyplc-mqtt.supply", dict(SUPPLY))
        if self.text("digital_output_device") == "mqtt" and supply != "pyplc-mqtt":
            shows.append("pyplc-mqtt")
        if self.yes("display_via_serial") and not cape:
            shows.append("serial-oled")
        if shows:
            self.set("hardware.display", shows[0] if len(shows) == 1 else shows)
        if supply != "simulated":
            self.set("hardware.trust_simulated", True)
            self.remarks.append(
                "hardware.trust_simulated = true: pyPLC knows neither pilot nor isolation. Only on a bench; "
                "with a car, name a pilot and an isolation monitor and take this key away"
            )
        self.wires()

    def listener(self) -> None:
        self.set("listen.join", self.number("smart_listener_configuration") >= 1)

    def wires(self) -> None:
        """Port and broker of the devices that are named."""
        named = set[str]()
        for value in self.tables["hardware"].values():
            named.update([value] if isinstance(value, str) else value if isinstance(value, list) else [])
        for name, baud in LINES.items():
            if name in named:
                self.set(f"devices.{name}.port", self.text("serial_port"))
                if self.text("serial_baud") != baud:
                    self.remarks.append(f"serial_baud = {self.text('serial_baud')}: {name} speaks {baud} baud")
        if "pyplc-mqtt" in named:
            self.set("devices.pyplc-mqtt.broker.host", self.text("mqtt_broker"))
            self.set("devices.pyplc-mqtt.topic", self.text("mqtt_topic"))

    def explain(self) -> None:
        """What was said otherwise than in the template and is not taken over; and what nobody knows."""
        known = {key.name: key for key in KEYS}
        for name, value in self._given.items():
            if name not in known:
                self.remarks.append(f"{name} = {value}: pyPLC has no such key; left out")
            elif not known[name].becomes and value.strip().lower() != known[name].template.lower():
                self.remarks.append(f"{name} = {value}: {known[name].why}")


def toml(tables: Tables) -> str:
    """The tables as TOML text, plain keys before the tables below them."""
    return "\n".join(_table(tables, "")).lstrip("\n") + "\n"


def _table(table: Tables, path: str) -> list[str]:
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if not isinstance(value, dict)]
    if lines and path:
        lines = ["", f"[{path}]", *lines]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _table(value, f"{path}.{key}" if path else key)
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
