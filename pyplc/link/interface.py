"""Setting an interface up, where that is allowed: a station that nobody looks at has nobody who does it."""

from __future__ import annotations

import socket
import struct
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1
REQUEST = struct.Struct("16sH14x")
"""struct ifreq with flags."""


def set_up(interface: str) -> bool:
    """Whether the interface was down and is up now. Linux only; False where it is not there or not ours to set up."""
    if not sys.platform.startswith("linux"):
        return False
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            name, flags = REQUEST.unpack(
                fcntl.ioctl(any_socket, SIOCGIFFLAGS, REQUEST.pack(interface.encode()[:15], 0))
            )
            if flags & IFF_UP:
                return False
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, REQUEST.pack(name, flags | IFF_UP))
        except OSError:
            return False
    return True
