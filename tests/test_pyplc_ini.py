"""pyPLC's settings file: all 35 keys, files as they are in the field, and what comes out is a station that starts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pyplc.cli.config import command, problems
from pyplc.pyplc_ini import KEYS, Converted, IniError, convert, toml


def ini(**keys: object) -> Converted:
    """The template of pyPLC with these keys changed."""
    values = {key.name: key.template for key in KEYS if key.template != "-"} | {k: str(v) for k, v in keys.items()}
    return convert("# pyPlc\n[general]\n" + "".join(f"{k}={v}\n" for k, v in values.items()))


def test_there_are_35_keys_and_each_is_mapped_or_explained() -> None:
    assert len(KEYS) == len({key.name for key in KEYS}) == 35
    assert all(key.becomes or key.why for key in KEYS)


def test_the_template_is_a_vehicle_with_dieter() -> None:
    made = ini()
    assert made.verb == "ev"
    assert made.tables["hardware"] == {
        "pilot": "dieter", "contactor": "dieter", "lock": "none", "inlet": "reported", "battery": "load",
        "display": "dieter",
    }  # fmt: skip
    assert made.tables["devices"]["dieter"] == {"port": "auto"}
    assert made.tables["vehicle"] == {"precharge_by": "reported", "precharge_difference": 10.0}
    assert made.tables["devices"]["load"]["max_voltage"] == 270.0
    assert not problems("ev", toml(made.tables), "f")


CASES = {
    "dieter measures": dict(analog_input_device="dieter", use_evsepresentvoltage_for_precharge_end="no"),
    "celeron55": dict(
        digital_output_device="celeron55device", analog_input_device="celeron55device",
        charge_parameter_backend="celeron55device", serial_port="/dev/ttyS1", serial_baud=115200,
    ),
    "beaglebone": dict(digital_output_device="beaglebone", display_via_serial="no"),
    "mqtt vehicle": dict(
        digital_output_device="mqtt", analog_input_device="mqtt", charge_parameter_backend="mqtt",
        mqtt_broker="10.0.0.2", mqtt_topic="car/plc",
    ),
    "bulb": dict(light_bulb_demo="yes"),
    "charger": dict(mode="EvseMode"),
    "mqtt charger": dict(
        mode="EvseMode", digital_output_device="mqtt", charge_parameter_backend="mqtt", evse_simulate_precharge="no",
    ),
    "mqtt watches": dict(mode="EvseMode", digital_output_device="mqtt", charge_parameter_backend="mqtt"),
    "focccicape": dict(mode="EvseMode", evsemode_environment="focccicape"),
    "soc reader": dict(mode="EvseMode", soc_callback_enabled="True", soc_callback_endpoint="http://10.0.0.3/soc"),
    "listener": dict(mode="Listen", smart_listener_configuration=2),
    "far precharge": dict(u_delta_max_for_end_of_precharge=50),
    "chademo": dict(charge_parameter_backend="chademo"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_comes_out_is_a_station_that_starts(name: str) -> None:
    made = ini(**CASES[name])
    text = toml(made.tables)
    assert tomllib.loads(text) == made.tables
    assert not problems(made.verb, text, "f")


def test_single_keys() -> None:
    mqtt = ini(**CASES["mqtt vehicle"]).tables
    assert mqtt["devices"]["pyplc-mqtt"]["broker"] == {"host": "10.0.0.2"}
    assert mqtt["devices"]["pyplc-mqtt"]["topic"] == "car/plc"
    assert mqtt["hardware"]["lock"] == "pyplc-mqtt"
    cape = ini(**CASES["focccicape"])
    assert cape.tables["hardware"]["display"] == ["can-display", "gpio"]
    assert cape.tables["charger"]["discharge"] == 5.0
    assert any("Only on a bench" in remark for remark in cape.remarks)
    soc = ini(**CASES["soc reader"]).tables
    assert soc["soc"] == {"endpoint": "http://10.0.0.3/soc", "fallback_capacity": 27000.0}
    assert soc["charger"] == {"energy": "ac", "communication": "soc"}
    assert ini(**CASES["far precharge"]).tables["vehicle"]["precharge_difference"] == 20.0
    assert ini(**CASES["listener"]).tables["listen"] == {"join": True}
    assert ini(mode="Listen", smart_listener_configuration=0).tables["listen"] == {"join": False}


def test_what_is_not_taken_over_is_said() -> None:
    made = ini(
        testsuite_enable="Yes", udp_syslog_enable="No", serial_baud=9600, colour="red", exit_on_session_end="True"
    )
    said = "\n".join(made.remarks)
    assert "testsuite_enable = Yes: `pyplc scenario run`" in said
    assert "colour = red: pyPLC has no such key" in said
    assert "serial_baud = 9600: dieter speaks 19200 baud" in said
    assert "exit_on_session_end = True: `pyplc ev` holds one session" in said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hello", "this is no ini file"),
        ("[other]\na=1", r"no section \[general\]"),
        ("[general]\nlight_bulb_demo=perhaps", "light_bulb_demo = perhaps: expected yes or no"),
        ("[general]\ncharge_target_voltage=a lot", "charge_target_voltage = a lot: expected a number"),
        ("[general]\ndigital_output_device=magic", "digital_output_device = magic: expected one of dieter, beagle"),
    ],
)
def test_what_is_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(IniError, match=complaint):
        convert(text)


@given(st.text())
def test_any_text_is_converted_or_refused(text: str) -> None:
    try:
        convert(text)
    except IniError:
        pass


def test_the_command(tmp_path: Path) -> None:
    source, target = tmp_path / "pyPlc.ini", tmp_path / "my.toml"
    source.write_text("[general]\nmode=PevMode\neth_interface=eth1\n")
    done = CliRunner().invoke(command, ["import", str(source), "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert f"{target} is for: pyplc ev {target}" in done.output
    assert tomllib.loads(target.read_text())["network"] == {"interface": "eth1"}
    again = CliRunner().invoke(command, ["import", str(source), "-o", str(target)])
    assert again.exit_code == 1 and "exists already" in again.output
    said = json.loads(CliRunner().invoke(command, ["import", str(source), "--json"]).output)
    assert said["verb"] == "ev" and said["settings"]["network"]["interface"] == "eth1"
    assert CliRunner().invoke(command, ["check", "ev", str(target)]).exit_code == 0
    target.write_text('[hardware]\npilot = "diter"')
    wrong = CliRunner().invoke(command, ["check", "ev", str(target), "--json"])
    assert wrong.exit_code == 1
    assert "did you mean 'dieter'" in json.loads(wrong.output)["problems"][0]
    missing = CliRunner().invoke(command, ["import", str(tmp_path / "none.ini")])
    assert missing.exit_code == 1 and "No such file" in missing.output
