"""EcoG's charger or vehicle for one session; run by the Python that has its package `iso15118`.

    python ecog.py secc|evcc INTERFACE din|iso2|all dc|ac SAMPLES

SAMPLES is a JSON list of messages of such a session, each [schema, name, EXI as hex]: its codec decodes and encodes
them for some seconds before the session, because a cold one breaks its own time-outs. Prints its log, "ready" when it
listens or is about to ask, and last line a JSON object: whether it calls the session successful, its reason, how often
each message passed, and the samples that it encodes to other bytes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import tempfile
import time

WARM_S = float(os.environ.get("ECOG_WARM_S", "6"))
LOOPS = 12
SESSION_S = 40.0
PROTOCOLS = {
    "din": "DIN_SPEC_70121",
    "iso2": "ISO_15118_2",
    "all": "DIN_SPEC_70121,ISO_15118_2,ISO_15118_20_AC,ISO_15118_20_DC",
}
MODES = {"dc": "DC_extended", "ac": "AC_three_phase_core"}

ROLE, INTERFACE, PROTOCOL, ENERGY, SAMPLES = sys.argv[1:]
# its settings are environment variables, and read while it is imported
os.environ.update(
    NETWORK_INTERFACE=INTERFACE,
    PROTOCOLS=PROTOCOLS[PROTOCOL],
    AUTH_MODES="EIM",
    LOG_LEVEL="INFO",
    MESSAGE_LOG_JSON="False",
    PKI_PATH=tempfile.gettempdir() + "/",
    JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
)

# each sets logging up when it is imported
import iso15118.evcc  # noqa: E402
import iso15118.secc  # noqa: E402, F401
from iso15118.shared.comm_session import V2GCommunicationSession  # noqa: E402
from iso15118.shared.exi_codec import EXI  # noqa: E402
from iso15118.shared.exificient_exi_codec import ExificientEXICodec  # noqa: E402
from iso15118.shared.messages.enums import Namespace  # noqa: E402
from iso15118.shared.settings import load_shared_settings  # noqa: E402

NAMESPACES = {"app": Namespace.SAP, "din": Namespace.DIN_MSG_DEF, "iso2": Namespace.ISO_V2_MSG_DEF}


class Passing(logging.Handler):
    """Counts the messages that its log names."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.name.endswith("comm_session") and (found := re.fullmatch(r"Sent (\w+)|(\w+) received", text)):
            name = found[1] or found[2]
            self.messages[name] = self.messages.get(name, 0) + 1


def warm(codec: EXI, seconds: float) -> dict[str, str]:
    """Decode and encode the samples until the time is over; what came out differently, by name."""
    different = {}
    with open(SAMPLES) as file:
        samples = json.load(file)
    until, turns = time.monotonic() + seconds, 0
    while not turns or time.monotonic() < until:
        for schema, name, data in samples:
            begun = time.monotonic()
            space = NAMESPACES[schema]
            again = bytes(codec.to_exi(codec.from_exi(bytes.fromhex(data), space), space)).hex()
            took = time.monotonic() - begun
            if again != data:
                different[name] = f"{data} as {again}"
        turns += 1
    print(f"{turns} turns of {len(samples)} messages, the last message in {took * 1e3:.0f} ms", flush=True)
    return different


def charger() -> object:
    """Its simulated station, with voltage and current that follow the vehicle and limits a car can use."""
    from iso15118.secc.controller.simulator import SimEVSEController

    class Station(SimEVSEController):
        async def send_charging_command(self, voltage, current, is_precharge=False, is_session_bpt=False):
            self.evse_data_context.present_voltage = voltage or self.evse_data_context.present_voltage
            self.evse_data_context.present_current = 0 if is_precharge else current or 0

        async def stop_charger(self):
            self.evse_data_context.present_voltage = self.evse_data_context.present_current = 0

        async def get_dc_charge_parameters(self):
            offer = await super().get_dc_charge_parameters()
            for name, value in {"voltage": 50, "current": 20}.items():
                getattr(offer, f"evse_maximum_{name}_limit").value = value  # tens of V and A
            offer.evse_maximum_power_limit.value = 10_000
            offer.evse_minimum_voltage_limit.value = 15
            offer.evse_minimum_current_limit.value = 0
            return offer

    return Station()


async def secc(codec: ExificientEXICodec) -> None:
    from iso15118.secc import SECCHandler
    from iso15118.secc.secc_settings import Config

    config = Config()
    config.load_envs()
    await SECCHandler(codec, charger(), config).start(config.iface)


async def evcc(codec: ExificientEXICodec) -> None:
    from iso15118.evcc import Config, EVCCHandler
    from iso15118.evcc.controller.simulator import SimEVController
    from iso15118.evcc.evcc_config import EVCCConfig

    config = Config()
    config.load_envs()
    vehicle = EVCCConfig(
        supportedProtocols=PROTOCOLS[PROTOCOL].split(","),
        supportedEnergyServices=[ENERGY.upper()],
        energyTransferMode=MODES[ENERGY],
        useTls=False,
        chargeLoopCycle=LOOPS,
    )
    vehicle.load_raw_values()
    await EVCCHandler(vehicle, config.iface, codec, SimEVController(vehicle)).start()


async def main(codec: ExificientEXICodec) -> dict[str, object]:
    """One session, until it says how it ended."""
    ended = asyncio.get_running_loop().create_future()

    async def stop(session: V2GCommunicationSession, reason: str) -> None:
        """Instead of its own, which tells nobody and waits five seconds."""
        verdict = session.comm_session.stop_reason or session.stop_reason
        await asyncio.sleep(0.5)  # the last answer must get through
        if not ended.done():
            ended.set_result({"successful": bool(verdict and verdict.successful), "reason": reason})

    V2GCommunicationSession.stop = stop
    role = asyncio.ensure_future(secc(codec) if ROLE == "secc" else evcc(codec))
    print("ready", flush=True)
    done, _ = await asyncio.wait({role, ended}, timeout=SESSION_S, return_when=asyncio.FIRST_COMPLETED)
    if ended in done:
        return ended.result()
    return {"successful": False, "reason": repr(role.exception()) if role in done else f"no end in {SESSION_S:g} s"}


if __name__ == "__main__":
    java, passing = ExificientEXICodec(), Passing()
    EXI().set_exi_codec(java)
    logging.getLogger().addHandler(passing)
    load_shared_settings()
    differing = warm(EXI(), WARM_S)
    result = asyncio.new_event_loop().run_until_complete(main(java))
    print(json.dumps({**result, "messages": passing.messages, "differing": differing}), flush=True)
    java.gateway.shutdown()
    os._exit(0)  # its tasks do not end
