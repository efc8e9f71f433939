"""Bytes of a real car and a real charger: a Hyundai Ioniq at an Alpitronic HYC150."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest
import reference
from stations import ObedientCharger, WillingVehicle

from pyplc import clock
from pyplc.exi.xmltext import canonical, to_xml
from pyplc.record import silent
from pyplc.v2g import charger, handshake, vehicle
from pyplc.v2g.control import ChargerOffer, Delivered, Demand, VehicleLimits, VehicleStatus
from pyplc.v2g.din import messages as m
from pyplc.v2g.negotiate import DIN
from pyplc.v2g.rules import Pacing, Rules
from pyplc.v2g.session import name_of
from pyplc.v2g.stream import Channel, pipe
from pyplc.v2gtp import PayloadType


@dataclass
class Recording:
    """The capture as pairs of request and response, with times from the first request on."""

    requests: list[reference.Captured]
    responses: list[reference.Captured]
    start: float = 0.0
    names: list[str] = field(default_factory=list)

    def last(self, name: str) -> float:
        """When the last request of this name was sent."""
        return max(r.t for r, n in zip(self.requests, self.names, strict=True) if n == name) - self.start

    def count(self, name: str) -> int:
        return self.names.count(name)


@pytest.fixture(scope="module")
def recording() -> Recording:
    messages = reference.messages(reference.IONIQ)
    car = messages[0].port
    requests = [message for message in messages if message.port == car]
    responses = [message for message in messages if message.port != car]
    names = ["supportedAppProtocolReq"] + [name_of(body_of(request.exi)) for request in requests[1:]]
    return Recording(requests, responses, requests[0].t, names)


def body_of(exi: bytes) -> object:
    return m.decode(exi).Body.BodyElement


def test_the_capture_decodes_and_encodes_to_the_very_same_bytes() -> None:
    messages = reference.messages(reference.IONIQ)
    expected = reference.expected(reference.IONIQ)
    assert len(messages) == len(expected) == 1120
    for message, other in zip(messages, expected, strict=True):
        assert message.exi.hex() == other["exi"]
        if message.exi[1] & 0xFE == 0x9A:
            decoded = m.decode(message.exi)
            assert name_of(decoded.Body.BodyElement) == other["message"]
            assert m.encode(decoded) == message.exi
            assert canonical(to_xml(decoded)) == canonical(other["xml"])
        else:
            assert handshake.encode(handshake.decode(message.exi)) == message.exi


class AlpitronicControl(ObedientCharger):
    """A charger that takes as long as the recorded one did; it gives what is asked for."""

    evse_id = b"\0"

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording
        self._voltage = 0.0

    def offer(self) -> ChargerOffer:
        return ChargerOffer(920, 300, 150_000, 150, 1)

    def vehicle(self, evccid: bytes) -> None:
        self.calls.append(evccid.hex())

    async def authorise(self) -> None:
        pass

    async def agree(self, limits: VehicleLimits, soc: int) -> None:
        await self._until("ChargeParameterDiscoveryReq")

    async def power_ready(self, timeout: float) -> bool:
        return True

    async def cable_check(self) -> None:
        await self._until("CableCheckReq")

    async def _until(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._recording.last(name) - 0.01 - now))

    async def precharge(self, voltage: float, current: float) -> float:
        self._voltage = voltage
        return voltage

    async def start(self) -> None:
        self.calls.append("start")

    async def deliver(self, demand: Demand) -> Delivered:
        return Delivered(self._voltage, demand.current, 920, 300, 150_000)

    async def hold(self) -> None:
        self.calls.append("hold")

    async def stop(self) -> None:
        self.calls.append("stop")

    async def power_left(self, timeout: float) -> bool:
        return True

    async def residual_voltage(self) -> float:
        return 10.0

    def stop_wanted(self) -> str | None:
        return None

    async def finished(self) -> None:
        self.calls.append("finished")


class RecordedId(random.Random):
    """Gives the session id that the recorded charger gave, so that the car's requests fit."""

    def __init__(self, session_id: bytes) -> None:
        super().__init__(0)
        self._id = int.from_bytes(session_id, "big")

    def getrandbits(self, k: int) -> int:
        return self._id


def test_the_cars_requests_get_ok_from_our_charger_session(recording: Recording) -> None:
    session_id = m.decode(recording.responses[1].exi).Header.SessionID
    control = AlpitronicControl(recording)
    answers: list[tuple[str, str, bool]] = []

    async def car(channel: Channel) -> None:
        loop = asyncio.get_running_loop()
        for name, request in zip(recording.names, recording.requests, strict=True):
            await asyncio.sleep(max(0.0, request.t - recording.start - loop.time()))
            channel.send(PayloadType.EXI, request.exi)
            payload = await channel.receive(2.0)
            if name == "supportedAppProtocolReq":
                response = handshake.decode(payload.data)
                answers.append((name, "supportedAppProtocolRes", response.ResponseCode == 0))
                continue
            message = m.decode(payload.data)
            assert message.Header.SessionID == session_id
            answers.append(
                (name, name_of(message.Body.BodyElement), message.Body.BodyElement.ResponseCode < m.responseCode.FAILED)
            )
        await channel.close()

    async def main() -> str:
        near, far = pipe()
        _, ended = await asyncio.gather(
            car(near), charger.serve(far, control, silent("evse"), Rules(), RecordedId(session_id))
        )
        return ended.reason

    clock.run(main())
    assert [(name.removesuffix("Req"), True) for name in recording.names] == [
        (response.removesuffix("Res"), ok) for _, response, ok in answers
    ]
    assert len(answers) == 560
    assert control.calls == ["e00ee1ffd3e2", "start", "stop", "finished"]


class IoniqControl(WillingVehicle):
    """A vehicle that makes up its mind when the recorded one did."""

    evccid = bytes.fromhex("e00ee1ffd3e2")

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._precharges = recording.count("PreChargeReq")
        self._demands = recording.count("CurrentDemandReq")
        self._weldings = recording.count("WeldingDetectionReq")
        self.delivered: list[Delivered] = []

    def status(self) -> VehicleStatus:
        return VehicleStatus(True, 0, 50)

    def limits(self) -> VehicleLimits:
        return VehicleLimits(410, 200)

    async def prepare(self, offer: ChargerOffer) -> None:
        self.calls.append("prepare")

    def precharge_demand(self) -> Demand:
        return Demand(370, 1)

    def precharged(self, reported_voltage: float) -> bool:
        self._precharges -= 1
        return self._precharges == 0

    async def close_contactors(self) -> None:
        self.calls.append("close")

    def demand(self) -> Demand:
        return Demand(400, 100)

    def observe(self, delivered: Delivered) -> None:
        self.delivered.append(delivered)

    def stop_wanted(self) -> str | None:
        return "as the recorded car" if len(self.delivered) >= self._demands else None

    async def ramp_down(self) -> bool:
        return True

    async def power_off(self) -> None:
        self.calls.append("state B")

    async def open_contactors(self) -> None:
        self.calls.append("open")

    def welding_checked(self, reported_voltage: float) -> bool:
        self._weldings -= 1
        return self._weldings == 0

    async def release(self) -> None:
        self.calls.append("release")


def test_the_chargers_responses_drive_our_vehicle_session_to_its_end(recording: Recording) -> None:
    control = IoniqControl(recording)
    asked: list[str] = []

    async def alpitronic(channel: Channel) -> None:
        for request, response in zip(recording.requests, recording.responses, strict=True):
            payload = await channel.receive(60.0)
            first = payload.data[1] & 0xFE != 0x9A
            asked.append("supportedAppProtocolReq" if first else name_of(body_of(payload.data)))
            await asyncio.sleep(response.t - request.t)
            channel.send(PayloadType.EXI, response.exi)

    async def main() -> str:
        near, far = pipe()
        # the recorded car repeated its requests 80 ms after each answer
        rules = Rules(protocols=(DIN,), pacing=Pacing(0.09, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09))
        ended, _ = await asyncio.gather(vehicle.charge(near, control, silent("ev"), rules), alpitronic(far))
        return ended.reason

    reason = clock.run(main())
    assert asked == recording.names
    assert control.calls == ["prepare", "close", "state B", "open", "release"]
    assert len(control.delivered) == 367
    assert max(given.current for given in control.delivered) > 50
    assert "recorded car" in reason or "asked to stop" in reason
