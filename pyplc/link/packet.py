"""Raw frames through AF_PACKET of the Linux kernel: nothing to install, a median of 45 us from wire to task."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import struct
import sys
from collections import deque
from collections.abc import Iterable

from .ports import HOMEPLUG, LinkError, Tap

ETH_P_ALL = 0x0003
SO_ATTACH_FILTER = 26
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1
QUEUE_LIMIT = 4096
BURST = 64
"""Frames read in one wake-up before other tasks get their turn."""
LONGEST_FRAME = 65_600
RECEIVE_BUFFER = 1 << 20


class PacketLink:
    """A `Link` on a real interface. With `own` it also sees what this host sends there (for recording)."""

    def __init__(self, name: str, sock: socket.socket, *, own: bool) -> None:
        self.name = name
        self.address: bytes = sock.getsockname()[4][:6]
        self.tap: Tap | None = None
        self.dropped = 0
        self._sock = sock
        self._own = own
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: LinkError | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            for _ in range(BURST):
                frame, address = self._sock.recvfrom(LONGEST_FRAME)
                outgoing = address[2] == socket.PACKET_OUTGOING
                if outgoing and not self._own:
                    continue
                if self.tap:
                    self.tap("tx" if outgoing else "rx", frame)
                if len(self._queue) >= QUEUE_LIMIT:
                    self.dropped += 1
                else:
                    self._queue.append(frame)
        except BlockingIOError:
            pass
        except OSError as error:
            self._fail(error)
        self._wake()

    def _fail(self, error: OSError) -> None:
        self._error = LinkError(f"interface {self.name} is gone: {error.strerror}; plug it in again or set it up")
        self._loop.remove_reader(self._sock.fileno())

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

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
        if self.tap:  # the kernel shows a frame to every socket but the one that sent it
            self.tap("tx", frame)
        try:
            self._sock.send(frame)
        except BlockingIOError:
            self.dropped += 1
        except OSError as error:
            raise LinkError(f"cannot send on {self.name}: {error.strerror}") from None

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
        self._error = self._error or LinkError(f"{self.name} was closed")
        self._wake()


def open_packet(
    interface: str, ethertypes: Iterable[int] = (HOMEPLUG,), *, own: bool = False, promiscuous: bool = False
) -> PacketLink:
    """Open `interface` for these EtherTypes (none: all); raises LinkError with the command that mends it."""
    wanted = tuple(ethertypes)
    if not hasattr(socket, "AF_PACKET"):
        raise LinkError('AF_PACKET is there on Linux only; set driver = "pcap"')
    check_interface(interface)
    single = len(wanted) == 1 and not own
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError:
        raise LinkError(no_right()) from None
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if wanted and not single:
            _attach_filter(sock, wanted)
        if promiscuous:
            request = struct.pack("iHH8s", socket.if_nametoindex(interface), PACKET_MR_PROMISC, 0, b"")
            sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
        sock.bind((interface, wanted[0] if single else ETH_P_ALL))
    except OSError as error:
        sock.close()
        raise LinkError(f"cannot open {interface}: {error.strerror}") from None
    return PacketLink(interface, sock, own=own)


def check_interface(interface: str) -> None:
    """LinkError unless there is such an interface and it is up."""
    names = [name for _, name in socket.if_nameindex()]
    if interface not in names:
        raise LinkError(f"there is no interface {interface!r}; there are: {', '.join(names)}")
    try:
        flags = int(open(f"/sys/class/net/{interface}/flags").read(), 16)  # noqa: SIM115
    except OSError:
        return
    if not flags & 1:
        raise LinkError(f"interface {interface} is down; sudo ip link set {interface} up")


def no_right() -> str:
    """One sentence with the command that grants the right to open raw sockets to this Python."""
    return f"no right to open raw sockets; {grant()} grants it"


def grant() -> str:
    """The command that grants this Python the right to open raw sockets."""
    return f"sudo setcap cap_net_raw,cap_net_admin+eip {os.path.realpath(sys.executable)}"


def _attach_filter(sock: socket.socket, ethertypes: tuple[int, ...]) -> None:
    """A classic BPF program that lets only these EtherTypes through, so that foreign floods cost nothing here."""
    n = len(ethertypes)
    program = [struct.pack("HBBI", 0x28, 0, 0, 12)]  # load the EtherType
    program += [struct.pack("HBBI", 0x15, n - i, 0, kind) for i, kind in enumerate(ethertypes)]  # equal: accept
    program += [struct.pack("HBBI", 0x06, 0, 0, 0), struct.pack("HBBI", 0x06, 0, 0, 0x40000)]  # drop, accept
    code = ctypes.create_string_buffer(b"".join(program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))
