"""Every verb of `pyplc modem`, run as a user runs it, against `pyplc modem emulate` over veth pairs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cables import Cables, rights
from click import Command, Group
from click.testing import CliRunner

from pyplc.cli.main import main
from pyplc.cli.modem import command
from pyplc.cli.modem_common import table_lines
from pyplc.slac import pib_fields as fields
from pyplc.slac.pib import Pib

HOME_KEY, HOME_NETWORK = "50d3e4933f855b7040784df815aa8db7", "b0f2e695666b03"
"""Of the password HomePlugAV."""
ROLES = ("--role", "m-ev=pev", "--role", "m-se=evse")


needs_rights = pytest.mark.skipif((reason := rights()) is not None, reason=reason or "")


def test_a_table_that_does_not_fit_cuts_nothing() -> None:
    head, row = ("MAC", "firmware", "role"), ("98:48:27:5a:3c:e6", "MAC-QCA7420-1.4.0.20-00-20171027-CS", "pev")
    assert table_lines(head, [row], 80)[1] == "  ".join(row)
    assert table_lines(head, [row], None) == table_lines(head, [row], 80)
    assert table_lines(head, [row], 50) == [
        "MAC                role\n    firmware",
        "98:48:27:5a:3c:e6  pev\n    MAC-QCA7420-1.4.0.20-00-20171027-CS",
    ]


class Hosts(Cables):
    """`run` and `read` are of `pyplc modem`."""

    def run(self, *words: str | Path, place: str = "ev", code: int = 0) -> str:
        return super().run("modem", *words, place=place, code=code)

    def read(self, *words: str | Path, code: int = 0) -> Any:
        """Its JSON."""
        return json.loads(self.run(*words, "--json", code=code))


@pytest.fixture(scope="module")
def cables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    built = Hosts(tmp_path_factory.mktemp("modem"), "ev", "se")
    try:
        built.up(*ROLES, "--kind", "m-se=qca7005", "--fast")
        yield built
    finally:
        built.down()


@needs_rights
def test_who_is_there_and_what_it_tells(cables: Hosts) -> None:
    cables.run("key", "random", "ev0")
    assert cables.run("link", "ev0", code=1) == "not linked\n"
    (alone,) = cables.read("list")["ev0"]
    assert (alone["mac"], alone["chip"], alone["role"], alone["cco"]) == (cables.macs["ev"], "QCA7420", "pev", "never")
    for place in ("ev", "se"):
        told = cables.run("key", "set", f"{place}0", "--password", "HomePlugAV", place=place)
        assert HOME_NETWORK in told and HOME_KEY in told
    time.sleep(0.4)
    assert cables.read("key", "get", "ev0") == {"nid": HOME_NETWORK, "nmk": HOME_KEY}
    linked = cables.read("link", "ev0")
    assert linked["linked"] and linked["networks"][0]["cco_mac"] == cables.macs["se"]
    own, other = cables.run("list", "ev0").splitlines()[1:]
    assert "local" in own and "remote" in other and "QCA7005" in other and "now" in other
    assert "pyplc emulated QCA7005" in cables.run("info", "ev0", "--modem", cables.macs["se"])
    assert cables.read("info", "ev0")["flash_bytes"] == 1 << 20
    watched = cables.run("watch", "ev0", "--seconds", "0.5", "--json", "--frames")
    events = [json.loads(line)["what"] for line in watched.splitlines()]
    assert [word for word in events if word != "message"] == ["present", "network", "link", "station"]


@needs_rights
def test_a_remote_modem_is_left_alone_until_told(cables: Hosts) -> None:
    for place in ("ev", "se"):
        cables.run("key", "set", f"{place}0", HOME_KEY, place=place)
    time.sleep(0.4)
    far = ("--modem", cables.macs["se"])
    assert "Add --remote" in cables.run("reset", "ev0", *far, code=1)
    assert "has restarted" in cables.run("reset", "ev0", *far, "--remote")
    assert f"network {HOME_NETWORK}" in cables.run("reset", "ev0")


@needs_rights
def test_parameters_go_out_and_in(cables: Hosts) -> None:
    file = cables.folder / "own.pib"
    assert "role pev" in cables.run("pib", "read", "ev0", file)
    assert file.stat().st_mode & 0o077 == 0, "NMK and DAK are in it"
    assert "is there already" in cables.run("pib", "read", "ev0", file, code=1)
    shown = cables.read("pib", "show", file)
    assert shown["fields"]["slac"] == "1 (PEV)" and shown["fields"]["nmk"] == fields.SECRET
    assert "1653    slac" in cables.run("pib", "show", file)
    cables.run("pib", "patch", file, "--role", "evse", "--set", "network=test")
    other = cables.folder / "own.evse.pib"
    assert cables.read("pib", "check", file, other) == {str(file): [], str(other): []}
    parts = [part["part"] for part in cables.read("pib", "diff", file, other, code=1)]
    assert parts[:4] == ["user", "network", "cco", "slac"]
    assert "add --yes" in cables.run("pib", "write", "ev0", other, code=2)
    assert "every byte the same" in cables.run("pib", "write", "ev0", other, "--yes", "--backup", "kept")
    (backup,) = (cables.folder / "kept").iterdir()
    assert backup.name.startswith(cables.macs["ev"].replace(":", "")) and backup.read_bytes() == file.read_bytes()
    assert cables.read("list", "ev0")["ev0"][0]["role"] == "evse"
    assert cables.read("pib", "write", "ev0", file, "--yes")["written"]
    assert cables.run("pib", "write", "ev0", file, "--yes") == (
        "the modem has exactly this PIB already; nothing is written\n"
    )


@needs_rights
def test_a_pib_of_another_modem_or_a_broken_one_is_not_written(cables: Hosts) -> None:
    theirs, broken = cables.folder / "theirs.pib", cables.folder / "broken.pib"
    cables.run("pib", "read", "se0", theirs, place="se")
    assert "of different firmwares" in cables.run("pib", "write", "ev0", theirs, "--yes", code=1)
    own = cables.folder / "again.pib"
    cables.run("pib", "read", "ev0", own)
    strange = Pib(own.read_bytes()).edit((fields.MAC.offset, b"\2\0\0\0\0\1"))
    theirs.write_bytes(strange.data)
    assert "another mac (02:00:00:00:00:01" in cables.run("pib", "write", "ev0", theirs, "--yes", code=1)
    broken.write_bytes(own.read_bytes()[:-4] + b"\1\2\3\4")
    assert "checksum" in cables.run("pib", "check", broken, code=1)
    assert "nothing was written" in cables.run("pib", "write", "ev0", broken, "--yes", code=1)
    assert "checksums right" in cables.run("pib", "patch", broken, "--repair")


@needs_rights
def test_a_write_is_asked_for_on_a_terminal(cables: Hosts) -> None:
    """Through a pseudo terminal: the difference, the question, and nothing happens without a yes."""
    file = cables.folder / "asked.pib"
    cables.run("pib", "read", "ev0", file)
    cables.run("pib", "patch", file, "--set", "user=asked")
    words = cables.command("ev", "modem", "pib", "write", "ev0", cables.folder / "asked.patched.pib")
    ours, theirs = os.openpty()
    with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cables.folder) as asking:
        os.close(theirs)
        told = ""
        while "[y/N]" not in told:
            told += os.read(ours, 4096).decode()
        os.write(ours, b"n\n")
        assert asking.wait(20) == 1
    os.close(ours)
    assert "Do not cut its power" in told and "asked" in told
    assert cables.read("info", "ev0")["user"] == "PEV"


@needs_rights
def test_without_the_right_the_one_command_is_named(cables: Hosts) -> None:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("no command setpriv (package util-linux)")
    inside = ["ip", "netns", "exec", cables.name("ev"), setpriv, "--bounding-set=-all", "--inh-caps=-all"]
    for words in (("list",), ("info", "ev0"), ("key", "get", "ev0"), ("watch", "ev0"), ("emulate", "ev0")):
        call = [*inside, *cables.command("ev", "modem", *words)[4:]]
        done = subprocess.run(call, capture_output=True, text=True, timeout=20)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "sudo setcap cap_net_raw,cap_net_admin+eip" in done.stderr and "Traceback" not in done.stderr


@needs_rights
def test_nothing_at_the_end_of_the_cable(cables: Hosts) -> None:
    assert "there is no interface 'nope0'; there are: lo, ev0" in cables.run("info", "nope0", code=1)
    near = cables.name("ev")
    subprocess.run(["ip", "-n", near, "link", "add", "dead0", "type", "veth", "peer", "name", "dead1"], check=True)
    assert "sudo ip link set dead0 up" in cables.run("info", "dead0", code=1)
    subprocess.run(["ip", "-n", near, "link", "set", "dead0", "up"], check=True)
    assert "dead0 has no carrier: cable, modem's power" in cables.run("info", "dead0", code=1)
    assert "No carrier: dead0" in cables.run("list", "dead0", code=1)
    assert "no modem answers" in cables.run("watch", "dead0", "--seconds", "0.5")
    subprocess.run(["ip", "-n", near, "link", "del", "dead0"], check=True)


@needs_rights
def test_known_bad_modems_are_flagged(cables: Hosts) -> None:
    cables.down()
    cables.up(*ROLES, "--fault", "m-ev=bootloader", "--fast")
    assert cables.emulator is not None
    told = cables.run("list", "ev0")
    assert f"known to be bad: {cables.macs['ev']}: the modem has no firmware" in told
    cables.emulator.send_signal(signal.SIGINT)
    assert cables.emulator.wait(10) == 0, "it ends in order"


def verbs(group: Group, name: str) -> Iterator[tuple[str, Command]]:
    for word, part in group.commands.items():
        yield f"{name} {word}", part
        if isinstance(part, Group):
            yield from verbs(part, f"{name} {word}")


@pytest.mark.parametrize(("name", "verb"), list(verbs(command, "modem")), ids=lambda value: str(value))
def test_the_help_has_an_example_of_this_verb(name: str, verb: Command) -> None:
    done = CliRunner().invoke(main, [*name.split(), "--help"])
    assert done.exit_code == 0 and f"Example:  pyplc {name}" in done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("emulate", "a0", "--peer", "a0"), "each interface once"),
        (("emulate", "a0", "--kind", "qca1"), "'qca1' is not one of qca7420, qca7005, qca7000"),
        (("emulate", "a0", "--role", "b0=pev"), "names b0, which is not emulated here: a0"),
        (("emulate", "a0", "--peer", "b0", "--between", "a0:c0=3"), "write A:B=DB with two of a0, b0"),
        (("key", "set", "a0"), "give either NMK or --password"),
        (("key", "set", "a0", "12"), "'12' is not 16 bytes: write 32 hex digits"),
        (("pib", "patch", __file__), "say what to change: --role, --set or --repair"),
        (("info", "a0", "--modem", "xy"), "'xy'"),
    ],
)
def test_what_is_given_wrongly_is_told(words: tuple[str, ...], told: str) -> None:
    done = CliRunner().invoke(main, ["modem", *words])
    assert done.exit_code == 2 and told in done.output
