"""Raw frames through libpcap (pcap-ct): Linux, macOS and Windows."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Iterable
from typing import Any

from .packet import check_interface, no_right
from .ports import HOMEPLUG, LinkError, Tap

SNAPLEN = 2048
"""65535 makes libpcap's ring hold so few frames that bursts are lost."""
LONGEST_FRAME = 65_600
"""Of a promiscuous link: a kernel hands TCP segments uncut to a virtual cable."""
QUEUE_LIMIT = 4096
ON_LINUX = sys.platform.startswith("linux")


class PcapLink:
    """A `Link` through libpcap. Its own frames come back from libpcap; they are shown only with `own`."""

    def __init__(self, name: str, handle: Any, address: bytes, *, own: bool) -> None:
        self.name = name
        self.address = address
        self.tap: Tap | None = None
        self.dropped = 0
        self._handle = handle
        self._own = own
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: LinkError | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(handle.fd, self._readable)

    def _readable(self) -> None:
        if self._handle.dispatch(-1, self._take) < 0:
            reason = _text(self._handle.geterr())
            self._loop.remove_reader(self._handle.fd)
            self._error = LinkError(f"interface {self.name} is gone: {reason}; plug it in again or set it up")
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take(self, _timestamp: float, packet: Any, *_: Any) -> None:
        frame = bytes(packet)
        outgoing = frame[6:12] == self.address
        if outgoing and not self._own:
            return
        if self.tap:
            self.tap("tx" if outgoing else "rx", frame)
        if len(self._queue) >= QUEUE_LIMIT:
            self.dropped += 1
        else:
            self._queue.append(frame)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def receive(self) -> bytes:
        while not self._queue:
            if self._error is not None:
                raise self._error
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._queue.popleft()

    def send(self, frame: bytes) -> None:
        if self.tap and (ON_LINUX or not self._own):  # Linux alone does not show a frame to who sent it
            self.tap("tx", frame)
        try:
            self._handle.sendpacket(frame)
        except OSError as error:
            raise LinkError(f"cannot send on {self.name}: {error}") from None

    def close(self) -> None:
        if self._handle is not None:
            self._loop.remove_reader(self._handle.fd)
            self._handle.close()
            self._handle = None
        self._error = self._error or LinkError(f"{self.name} was closed")
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def open_pcap(
    interface: str, ethertypes: Iterable[int] = (HOMEPLUG,), *, own: bool = False, promiscuous: bool = False
) -> PcapLink:
    """Open `interface` for these EtherTypes (none: all); raises LinkError with the command that mends it."""
    check_interface(interface)
    try:
        import pcap
    except (ImportError, OSError) as error:
        raise LinkError(
            f'libpcap is missing ({error}); sudo apt install libpcap0.8, or set driver = "packet"'
        ) from None
    try:
        handle = pcap.pcap(
            name=interface,
            snaplen=LONGEST_FRAME if promiscuous else SNAPLEN,
            promisc=promiscuous,
            timeout_ms=1,
            immediate=True,
            rfmon=0,
        )
        handle.setnonblock(True)
        if wanted := tuple(ethertypes):
            handle.setfilter(" or ".join(f"ether proto {kind:#06x}" for kind in wanted))
    except (OSError, PermissionError) as error:
        if "permi" in str(error).lower():
            raise LinkError(no_right()) from None
        raise LinkError(f"cannot open {interface} through libpcap: {error}") from None
    try:
        text = open(f"/sys/class/net/{interface}/address").read().strip()  # noqa: SIM115
    except OSError:
        raise LinkError(f"the MAC address of {interface} cannot be read") from None
    return PcapLink(interface, handle, bytes.fromhex(text.replace(":", "")), own=own)


def _text(message: bytes | str) -> str:
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else message
