"""Three network namespaces: the vehicle's host, the charger's host, and the powerline with both modems between them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

PYPLC = Path(sys.executable).with_name("pyplc")
PROGRAMS = ("int6klist", "plctool", "pev", "evse", "chkpib2", "setpib")
PROFILE = {
    "pev": """[default]
vehicle identifier = 0000000000000000000000000000000000
network membership key = 50D3E4933F855B7040784DF815AA8DB7
network identifier = B0F2E695666B03
attenuation threshold = 40
msound pause = 20
charge time = {charge_s[0]}
settle time = 1
""",
    "evse": """[default]
station identifier = 0000000000000000000000000000000000
network membership key = B59319D7E8157BA001B018669CCEE30D
network identifier = 026BCBA5354E08
number of sounds = 10
time to sound = 6
response type = 1
settle time = 1
charge time = {charge_s[1]}
""",
}


def missing() -> str | None:
    """Why these tests cannot run here, None when they can."""
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        return "needs Linux and the command ip (package iproute2)"
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"no {', '.join(absent)} (Debian packages plc-utils, plc-utils-extra)"
    if not PYPLC.exists():
        return "pyplc is not installed beside this Python"
    probe = subprocess.run(["ip", "netns", "add", "pyplc-interop-probe"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", "pyplc-interop-probe"], capture_output=True)
    return f"no right to make network namespaces (run as root): {probe.stderr.strip()}" if probe.returncode else None


class World:
    """Hosts `ev` and `se`, and the modems between them. `charge_s`: how long pev and evse hold the link."""

    def __init__(self, tag: str, folder: Path, charge_s: tuple[int, int] = (2, 4)) -> None:
        self.tag = tag
        self.folder = folder
        self.macs: dict[str, str] = {}
        self._started: list[subprocess.Popen[str]] = []
        for role, profile in PROFILE.items():
            (folder / f"{role}.ini").write_text(profile.format(charge_s=charge_s))

    def up(self, *options: str) -> None:
        for place in ("ev", "se", "line"):
            self._ip("netns", "add", f"{self.tag}-{place}")
            self._ip("-n", f"{self.tag}-{place}", "link", "set", "lo", "up")
        for host, cable in (("ev", "ev0"), ("se", "se0")):
            near, far = f"{self.tag}-{host}", f"{self.tag}-line"
            self._ip("link", "add", cable, "netns", near, "type", "veth", "peer", "name", f"l{cable}", "netns", far)
            self.run("line", "sysctl", "-qw", f"net.ipv6.conf.l{cable}.disable_ipv6=1")
            self.run(host, "sysctl", "-qw", f"net.ipv6.conf.{cable}.accept_dad=0")
            self._ip("-n", near, "link", "set", cable, "up")
            self._ip("-n", far, "link", "set", f"l{cable}", "up")
        roles = ("--role", "lev0=pev", "--role", "lse0=evse")
        modems = self.start("line", PYPLC, "modem", "emulate", "lev0", "--peer", "lse0", *roles, *options)
        assert modems.stdout is not None
        for line in modems.stdout:
            if line.strip() == "ready":
                return
            if found := re.match(r"modem (\S+) on l(ev|se)0", line):
                self.macs[found[2]] = found[1].upper()
        raise AssertionError("no modem became ready")

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def _command(self, place: str, words: tuple[object, ...]) -> list[str]:
        return ["ip", "netns", "exec", f"{self.tag}-{place}", *map(str, words)]

    def run(self, place: str, *words: object) -> str:
        """What a program prints, both ways; it must end well within 40 s."""
        done = subprocess.run(
            self._command(place, words),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=40, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self, place: str, *words: object) -> subprocess.Popen[str]:
        """A program that goes on."""
        started = subprocess.Popen(
            self._command(place, words),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder,
        )  # fmt: skip
        self._started.append(started)
        return started

    def plctool(self, *words: object, place: str = "ev", modem: str | None = None) -> str:
        return self.run(place, "plctool", "-i", f"{place}0", *words, modem or self.macs[place])

    def down(self) -> None:
        for started in self._started:
            started.terminate()
        for started in self._started:
            started.communicate(timeout=10)
        for place in ("ev", "se", "line"):
            subprocess.run(["ip", "netns", "del", f"{self.tag}-{place}"], capture_output=True)
