"""How fast is the whole tower in virtual time? Both roles, SLAC, discovery, plant, records on, one core.

Compared with: real time (how many times faster), and the message rate asked for (8,000 a second).
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from pyplc import clock
from pyplc.config import SessionSettings, SimSettings
from pyplc.plant.parameters import BatteryParameters, PlantParameters
from pyplc.record import Reader, Recorder, Summary
from pyplc.service.files import SessionFiles
from pyplc.simulation import World
from pyplc.station.charger import ChargerSettings
from pyplc.station.vehicle import VehicleSettings

ROUNDS = 5


def run(settings: SimSettings, readers: tuple[Reader, ...], frames: bool) -> Summary:
    async def main() -> Summary:
        return (await World(settings, Recorder(*readers), 1, frames=frames).run())["ev"]

    return clock.run(main())


def timed(name: str, settings: SimSettings, *, record: bool, rounds: int = ROUNDS) -> None:
    seconds: list[float] = []
    summary = None
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            files = SessionFiles(Path(folder), "sim") if record else None
            start = time.perf_counter()
            summary = run(settings, (files,) if files else (lambda record: None,), record)
            seconds.append(time.perf_counter() - start)
            if files:
                files.close()
    assert summary is not None and summary.outcome == "finished", summary
    seconds.sort()
    best, median = seconds[0], seconds[len(seconds) // 2]
    messages = 2 * summary.messages  # each is sent by one side and received by the other
    print(
        f"{name:44} {summary.duration_s:7.0f} s simulated in {median:6.2f} s (best {best:5.2f}); "
        f"{summary.messages:6} messages, {summary.messages / median:7.0f}/s on the wire, "
        f"{messages / median:7.0f}/s handled; {summary.duration_s / median:6.0f} x real time"
    )


def main() -> None:
    short = SimSettings(vehicle=VehicleSettings(target_soc=50.0))
    timed("charge of 5 %, records read by nobody", short, record=False)
    timed("charge of 5 %, session.jsonl and pcapng", short, record=True)
    iso2 = SessionSettings(protocols=("iso2",))
    timed("the same in ISO 15118-2", SimSettings(vehicle=short.vehicle, session=iso2), record=True)
    ac = SimSettings(
        vehicle=VehicleSettings(target_soc=50.0, energy="ac"), charger=ChargerSettings(energy="ac"), session=iso2
    )
    timed("ISO 15118-2 AC at 500 ms", ac, record=True)
    long = SimSettings(
        vehicle=VehicleSettings(target_soc=80.0),
        plant=PlantParameters(battery=BatteryParameters(soc_percent=27.0)),
    )
    timed("about 40 minutes at 100 ms, files written", long, record=True, rounds=3)


if __name__ == "__main__":
    main()
