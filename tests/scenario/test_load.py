"""Scenario files: what is wrong with one is said with the key's path and what is allowed there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyplc.scenario.load import Case, ScenarioError, cases, parse

HEAD = 'role = "pev"\n[[scenario]]\nname = "a-case"\ntitle = "a case"\n'
EXPECT = '[scenario.expect]\noutcome = "failed"\n'


def fault(text: str) -> str:
    return f"{HEAD}[[scenario.fault]]\n{text}\n{EXPECT}"


def test_a_file_spreads_over_its_protocols() -> None:
    found: list[Case] = list(parse('protocol = ["din", "iso2"]\n' + HEAD + EXPECT, "x.toml"))
    assert [case.id for case in found] == ["din-dc-pev/a-case", "iso2-dc-pev/a-case"]
    assert [case.settings.session.protocols for case in found] == [("din",), ("iso2",)]
    (ac,) = parse('protocol = "iso2"\nenergy = "ac"\n' + HEAD + EXPECT, "x.toml")
    assert (ac.settings.vehicle.energy, ac.settings.charger.energy) == ("ac", "ac")


def test_settings_go_over_the_usual_ones() -> None:
    (case,) = parse(HEAD + "settings.vehicle.max_current = 50.0\n" + EXPECT, "x.toml")
    assert (case.settings.vehicle.max_current, case.settings.vehicle.target_soc) == (50.0, 45.1)


HERE = r"x.toml: scenario\[0\] \(a-case\)"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[[scenario", "x.toml: this is not TOML"),
        ("", "x.toml: top level: .*missing required field `scenario`"),
        (HEAD + "titel = 1\n" + EXPECT, HERE + ": unknown key titel; did you mean title?"),
        (HEAD, HERE + ": .*missing required field `expect`"),
        (HEAD + '[scenario.expect]\noutcom = "x"', HERE + r"\.expect: unknown key outcom; did you mean outcome?"),
        (HEAD.replace("a-case", "A Case") + EXPECT, r"scenario\[0\] \(A Case\)\.name: "),
        ('role = "car"\n' + HEAD[13:] + EXPECT, "x.toml: role: invalid enum value 'car'; one of: pev, evse"),
        (HEAD[13:] + EXPECT, HERE + r': role is missing, here and at the top; one of: "pev", "evse"'),
        ('protocol = "iso20"\n' + HEAD + EXPECT, "x.toml: protocol: .*one of: din, iso2"),
        ('energy = "ac"\n' + HEAD + EXPECT, HERE + ": DIN 70121 sessions are DC only"),
        (HEAD + "settings.vehicle.max_curent = 5\n" + EXPECT, HERE + ": settings: .*`max_curent`"),
        (HEAD + EXPECT + 'then = ["CurrentDemandRequest"]', HERE + ": .*did you mean CurrentDemandReq"),
        (HEAD + EXPECT + "within.state_c = 1", r"\.expect\.within: unknown key state_c; did you mean state_b"),
        (
            HEAD + EXPECT + 'answer = { message = "PreChargeRes", fields = { Voltage = 1 } }',
            HERE + ": Voltage: PreChargeRes has no Voltage",
        ),
        (HEAD + EXPECT + "[[scenario]]\nname = 'a-case'\ntitle = ''\n" + EXPECT, "a-case is there twice"),
        (fault('do = "drp"'), HERE + r"\.fault\[0\]\.do: invalid value 'drp'; one of: drop, delay, "),
        (fault("at.checkpoint = 700"), HERE + r"\.fault\[0\]: .*missing required field `do`; one of: drop"),
        (fault('do = "unplug"\nwhen = 1'), HERE + r"\.fault\[0\]: unknown key when; known keys: do, at"),
        (fault('do = "delay"\nsecond = 1'), HERE + r"\.fault\[0\]: .*did you mean seconds"),
        (fault('do = "drop"'), r"fault\[0\]: at.message is missing"),
        (fault('do = "drop"\nat.message = "PreChargeReq"'), "the peer sends messages that end in Res"),
        (
            fault('do = "drop"\nat = { message = "PreChargeRes", to_peer = true }'),
            "the unit under test sends messages that end in Req",
        ),
        (fault('do = "drop"\nat = { message = "PreChargeRes", after_s = 1.0 }'), "at.after_s is for faults of the"),
        (fault('do = "unplug"\nat.message = "PrechargeRes"'), "din has no message PrechargeRes; did you mean PreCh"),
        (fault('do = "unplug"\nat.checkpoint = 7777'), "there is no checkpoint 7777"),
        (fault('do = "unplug"\nat = { checkpoint = 700, message = "PreChargeRes" }'), "one of them says where"),
        (fault('do = "change"\nat.message = "PreChargeRes"\nset.EVSEVoltage = 1'), "has no EVSEVoltage; did you mean"),
        (fault('do = "change"\nat.message = "PreChargeRes"\nset."ResponseCode.X" = 1'), "nothing is inside X"),
        (
            fault('do = "change"\nat.message = "ChargeParameterDiscoveryRes"\nset."EVSEChargeParameter.X" = 1'),
            "EVSEChargeParameter is one of AC_EVSEChargeParameter, DC_EVSEChargeParameter",
        ),
        (
            fault('do = "change"\nat.message = "supportedAppProtocolRes"\nset."ResponseCod" = 1'),
            "supportedAppProtocolRes has no ResponseCod",
        ),
        (fault('do = "replace"\nat.message = "PreChargeRes"\nby = "AuthorizationRes"'), "din has no message Authoriz"),
        (fault('do = "lose"\nframes = "CM_FOO"'), "frames: 'CM_FOO' is not known; one of: SDP request, SDP response"),
        (fault('do = "overdraw"'), "overdraw cannot happen in DC"),
        (fault('do = "process"\nsignal = "sigkill"'), "signal: simulated devices would die with the program"),
        (fault('do = "process"\nsignal = "sighup"'), r"\.fault\[0\]\.signal: .*one of: sigterm, sigkill"),
        (fault('do = "raw"\nat.message = "PreChargeRes"\nhex = "xyz"'), r"\.fault\[0\]\.hex: "),
    ],
)
def test_what_is_wrong_is_said(text: str, error: str) -> None:
    with pytest.raises(ScenarioError, match=error):
        list(parse(text, "x.toml"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="nowhere.toml"):
        cases(tmp_path / "nowhere.toml")
