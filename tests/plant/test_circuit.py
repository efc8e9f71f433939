"""The coupled circuit: energy, ramps, pre-charge, and that looking often changes nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyplc.plant.circuit import Circuit
from pyplc.plant.parameters import BatteryParameters, CableParameters, PlantParameters, SupplyParameters


def circuit(**battery: float) -> Circuit:
    """A plugged-in circuit with the charger's contactor closed."""
    made = Circuit(PlantParameters(battery=BatteryParameters(**battery)))
    made.plugged = made.outlet_closed = True
    return made


def charging(current: float, seconds: float = 3.0, **battery: float) -> Circuit:
    """A circuit that charges with `current`, after its ramps."""
    made = circuit(**battery)
    made.set_supply(made.open_circuit_voltage, 2.0)
    made.advance(5.0)
    made.close_vehicle()
    made.set_supply(500.0, current)
    made.advance(5.0 + seconds)
    return made


def test_the_open_circuit_voltage_follows_the_table() -> None:
    table = PlantParameters().battery.open_circuit
    for soc, volts in table:
        assert circuit(soc_percent=soc).open_circuit_voltage == pytest.approx(volts)
    assert circuit(soc_percent=5.0).open_circuit_voltage == pytest.approx((table[0][1] + table[1][1]) / 2)


def test_precharge_reaches_its_target_within_five_seconds() -> None:
    c = circuit()
    c.set_supply(360.0, 1.0)
    c.advance(0.5)
    assert 100 < c.inlet_voltage < 150  # 250 V/s
    c.advance(5.0)
    assert c.inlet_voltage == pytest.approx(360.0)
    assert c.outlet_voltage == pytest.approx(360.0)
    assert c.current == 0


def test_contactors_on_unequal_voltages_make_an_inrush_and_on_equal_ones_none() -> None:
    cold = circuit()
    cold.close_vehicle()
    assert cold.max_inrush > 10_000
    warm = circuit()
    warm.set_supply(warm.open_circuit_voltage + 5.0, 1.0)
    warm.advance(5.0)
    warm.close_vehicle()
    assert warm.max_inrush == pytest.approx(5.0 / CableParameters().contact_resistance)


def test_current_is_what_the_circuit_gives() -> None:
    limited = charging(100.0)
    assert limited.current == pytest.approx(100.0)
    p = limited._p
    assert limited.inlet_voltage == pytest.approx(limited.open_circuit_voltage + 100 * p.battery.resistance)
    assert limited.outlet_voltage == pytest.approx(limited.inlet_voltage + 100 * p.cable.resistance)
    by_voltage = charging(120.0)
    by_voltage.set_supply(by_voltage.open_circuit_voltage + 4.5, 120.0)
    by_voltage.advance(12.0)
    assert by_voltage.current == pytest.approx(4.5 / 0.09, rel=0.01)


def test_the_supply_keeps_its_power_limit() -> None:
    c = charging(400.0, seconds=10.0)
    assert c.current == pytest.approx(SupplyParameters().max_current)
    strong = Circuit(PlantParameters(supply=SupplyParameters(max_current=400.0)))
    strong.plugged = strong.outlet_closed = True
    strong.set_supply(strong.open_circuit_voltage, 2.0)
    strong.advance(5.0)
    strong.close_vehicle()
    strong.set_supply(500.0, 400.0)
    strong.advance(20.0)
    assert strong.current * strong.outlet_voltage <= 50_000 * 1.03


def test_the_current_ramps_as_told() -> None:
    c = charging(100.0, seconds=0.5)
    assert c.current == pytest.approx(50.0, rel=0.05)  # 100 A/s
    c.advance(10.0)
    c.set_supply(500.0, 0.0)
    c.advance(10.1)
    assert c.current == pytest.approx(50.0, rel=0.05)  # 500 A/s down
    c.advance(10.3)
    assert c.current == 0


def test_energy_adds_up() -> None:
    """Delivered = stored + lost in the battery's resistance, and the state of charge follows what was stored."""
    c = charging(100.0, seconds=1800.0, soc_percent=30.0)
    stored = c.delivered_wh - c.lost_wh
    assert c.lost_wh == pytest.approx(100**2 * 0.08 * 1800 / 3600, rel=0.01)
    assert (c.soc_percent - 30.0) / 100 * 58_000 == pytest.approx(stored, rel=1e-6)
    mean_voltage = 357.0
    assert stored == pytest.approx(100 * mean_voltage * 0.5, rel=0.05)


def test_without_the_charger_the_line_discharges() -> None:
    c = circuit()
    c.set_supply(400.0, 1.0)
    c.advance(5.0)
    c.set_supply(0.0, 0.0)
    c.advance(5.0 + 0.4)
    assert c.inlet_voltage == pytest.approx(400.0 / math.e, rel=0.02)  # 20 kOhm, 20 uF
    c.advance(8.0)
    assert c.inlet_voltage < 60


def test_a_supply_that_drops_out_gives_nothing() -> None:
    c = charging(100.0)
    c.supply_fault = True
    c.advance(c.t + 0.1)
    assert c.current == 0


def test_unplugged_or_with_the_charger_open_no_current_flows() -> None:
    for name in ("plugged", "outlet_closed"):
        c = charging(100.0)
        setattr(c, name, False)
        c.advance(c.t + 0.1)
        assert c.current == 0


@given(st.lists(st.floats(0.001, 20.0), min_size=1, max_size=60))
def test_looking_often_changes_nothing(steps: list[float]) -> None:
    seldom, often = charging(90.0, seconds=0.2), charging(90.0, seconds=0.2)
    for step in steps:
        often.advance(often.t + step)
    seldom.advance(often.t)
    assert often.soc_percent == pytest.approx(seldom.soc_percent, rel=1e-6)
    assert often.delivered_wh == pytest.approx(seldom.delivered_wh, rel=1e-3, abs=0.05)
    assert often.current == pytest.approx(seldom.current)
    assert often.inlet_voltage == pytest.approx(seldom.inlet_voltage, abs=0.01)


def test_time_does_not_run_backwards() -> None:
    c = charging(50.0)
    before = (c.t, c.soc_percent)
    c.advance(0.0)
    assert (c.t, c.soc_percent) == before
