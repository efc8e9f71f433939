"""What a vehicle told of itself, sent to a wallbox by HTTP in the form of pyPLC's callback."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from ..record import Record, Scribe, VehicleData

TIMEOUT_S = 3.0
UNKNOWN = -1


def query(data: VehicleData) -> str:
    """current_soc, full_soc (percent), energy_capacity, energy_request (Wh), evccid (hex); -1 is unknown."""
    values = {
        "current_soc": data.soc_percent,
        "full_soc": data.full_soc_percent,
        "energy_capacity": data.capacity_wh,
        "energy_request": data.energy_request_wh,
    }
    told = {name: UNKNOWN if value is None else round(value) for name, value in values.items()}
    return urlencode({**told, "evccid": data.evccid})


class SocCallback:
    """A record reader that posts `VehicleData` to `endpoint`, beside the session and never in its way."""

    def __init__(self, endpoint: str, scribe: Scribe) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._scribe = scribe
        self._worker = ThreadPoolExecutor(1, "soc callback")

    def __call__(self, record: Record) -> None:
        if isinstance(record, VehicleData):
            self._worker.submit(self._post, query(record), asyncio.get_running_loop())

    def _post(self, text: str, loop: asyncio.AbstractEventLoop) -> None:
        request = Request(f"{self._endpoint}?{text}", data=b"", method="POST")
        try:
            with urlopen(request, timeout=TIMEOUT_S):
                return
        except (OSError, ValueError) as error:  # URLError is an OSError
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._scribe.note, f"{self._endpoint}: {error}", "warning")

    def close(self) -> None:
        """Wait for what is under way, a few seconds at most."""
        self._worker.shutdown(wait=True)
