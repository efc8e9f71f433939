"""One vehicle's run as a charger sees it: what was heard of it, and what to report."""

from __future__ import annotations

import asyncio

from .attenuation import INVENTED, mean, mean_profile
from .layout import Message
from .messages import AttenCharInd, AttenProfileInd, MnbcSoundInd, StartAttenCharInd
from .settings import SlacSettings
from .timing import C_EV_MATCH_MNBC, TT_EVSE_MATCH_MNBC
from .vendor import VsAttenCharInd

TIMEOUT_UNIT_S = 0.1
TO_THE_HOST = 1
"""RESP_TYPE: the report goes to the vehicle's host."""


class Run:
    """What was heard so far of the run `run_id` of the vehicle `mac`."""

    def __init__(self, mac: bytes, run_id: bytes) -> None:
        self.mac = mac
        self.run_id = run_id
        self.started = asyncio.Event()
        self.all_heard = asyncio.Event()
        """The last sound came, or as many as were announced."""
        self.all_measured = asyncio.Event()
        """The modem has told of as many sounds as were announced."""
        self.answered = asyncio.Event()
        self.report: AttenCharInd | None = None
        self.attenuation = 0.0
        self.asked_again = asyncio.Event()
        """The vehicle validates: it is still there."""
        self.window = TT_EVSE_MATCH_MNBC
        self.task: asyncio.Task[None] | None = None
        self._announced = C_EV_MATCH_MNBC
        self._counts: set[int] = set()
        self._told: dict[type[Message], int] = {AttenProfileInd: 0, VsAttenCharInd: 0}
        self._profiles: dict[type[Message], list[bytes]] = {AttenProfileInd: [], VsAttenCharInd: []}

    def announced(self, message: StartAttenCharInd) -> bool:
        """The first announcement opens the window; whether the message is one to follow."""
        if not message.sounds or not message.timeout or message.response_type != TO_THE_HOST:
            return False
        if not self.started.is_set():
            self._announced = message.sounds
            self.window = min(message.timeout * TIMEOUT_UNIT_S, TT_EVSE_MATCH_MNBC)
            self.started.set()
        return True

    def sounded(self, message: MnbcSoundInd) -> None:
        """A sound came by."""
        self._counts.add(message.count)
        if message.count == 0 or len(self._counts) >= self._announced:
            self.all_heard.set()
        self._check_measured()

    def measured(self, message: AttenProfileInd | VsAttenCharInd) -> bool:
        """The own modem told of a sound; whether it has measured anything."""
        kind = type(message)
        self._told[kind] += 1
        if message.groups:
            self._profiles[kind].append(message.groups)
        self._check_measured()
        return bool(message.groups)

    def _check_measured(self) -> None:
        told = [count for count in self._told.values() if count]
        if len(self._counts) >= self._announced and told and min(told) >= self._announced:
            self.all_measured.set()

    @property
    def sounds(self) -> int:
        """Sounds heard: by us, where the modem hands them up, else by the modem."""
        return len(self._counts) or min(max(self._told.values()), self._announced)

    def make_report(self, settings: SlacSettings) -> AttenCharInd:
        """The report, from the standard's indications where they have groups, else the vendor's, else invented."""
        profiles = self._profiles[AttenProfileInd] or self._profiles[VsAttenCharInd]
        groups = mean_profile(profiles, settings.attn_rx)
        if groups is None:
            groups = INVENTED if settings.invent_attenuation else b""
        self.attenuation = mean(groups) or 0.0
        self.report = AttenCharInd(
            source_address=self.mac,
            run_id=self.run_id,
            response_id=settings.own_id,
            sounds=self.sounds,
            groups=groups,
        )
        return self.report

    def close(self) -> None:
        """Stop its timers."""
        if self.task is not None:
            self.task.cancel()
