"""`pyplc decode` of captures as a user types it: files, folders, pipes, an interface."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import reference
from click.testing import CliRunner

from pyplc.cli import decode
from pyplc.cli.decode_capture import COLOURS, LONG
from pyplc.link.ethernet import tcp_frame
from pyplc.v2gtp import pack

DIN = "captures/dsv2gshark/DIN_DC_DS5366_Josev.pcapng"
TLS = "captures/dsv2gshark/ISO-20_TLS13_DC_DS5366_Josev.pcapng"
CUT = "captures/everest/MG_MG4_electric_iso-2-AC.dump"
LARGE = "captures/everest/Audi_Q4_dc-iso2.dump"
TWO = "captures/everest/Porsche_Taycan_4S_iso-15118-2-AC_2023-04-11T09_44_27.990Z-taycan-iso-ac-driverside.dump"
PYPLC = [sys.executable, "-c", "from pyplc.cli.main import main; main()"]
FIELDS = ["frame", "time", "session", "side", "protocol", "message", "schema", "guessed", "exi_hex", "value"]


def run(*args: object, code: int = 0) -> str:
    result = CliRunner().invoke(decode.command, [str(arg) for arg in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def lines(*args: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in run(*args, "--json").splitlines()]


def test_a_line_a_message_with_the_values_that_matter() -> None:
    file = reference.path(DIN)
    text = run(file)
    assert len([line for line in text.splitlines() if " DIN " in line]) == 198
    (first, *_) = [line for line in text.splitlines() if "CurrentDemandReq" in line]
    frame, seconds, session, side, schema, name, *_ = first.split()
    assert (session, side, schema, name) == ("1", "ev", "DIN", "CurrentDemandReq")
    assert 0 < float(seconds) < 100
    assert " V" in first and " A" in first and "SoC" in first
    only = run(file, "--only", "CurrentDemandReq").splitlines()[0]
    assert only == first, "the time is since the start of the capture, whatever is shown"
    assert int(frame) in [row["frame"] for row in lines(file)]


def test_the_fields_of_a_json_line() -> None:
    found = lines(reference.path(DIN))
    assert all(list(row)[:10] == FIELDS for row in found)
    messages = [row for row in found if row["exi_hex"]]
    assert len(messages) == 200
    (setup,) = [row for row in messages if row["message"] == "SessionSetupReq"]
    assert setup["protocol"] == "urn:din:70121:2012:MsgDef"
    assert (setup["schema"], setup["guessed"], setup["side"], setup["session"]) == ("din", False, "ev", 1)
    assert "xml" not in setup
    with_xml = [row for row in lines(reference.path(DIN), "--xml") if row["exi_hex"]]
    assert all(str(row["xml"]).startswith("<") for row in with_xml)


def test_tree_xml_and_csv() -> None:
    file = reference.path(TLS)
    tree = run(file, "--tree", "--only", "DC_PreChargeReq").splitlines()
    assert "           EVTargetVoltage 460 V" in tree
    xml = run(file, "--xml", "--only", "SessionStop").splitlines()
    assert xml[0].startswith("<!-- frame ")
    assert "<n1:SessionStopReq " in xml[1]
    rows = list(csv.DictReader(io.StringIO(run(reference.path(DIN), "--csv"))))
    demand = [row for row in rows if row["message"] == "CurrentDemandRes"]
    assert len(demand) == 9
    assert all(float(row["evse_voltage"]) > 100 and row["evse_current"] for row in demand)
    assert {row["soc_percent"] for row in rows if row["message"] == "CurrentDemandReq"} != {""}


def test_filters() -> None:
    file = reference.path(DIN)
    assert {row["message"] for row in lines(file, "--only", "Session,PreCharge")} == {
        "SessionSetupReq", "SessionSetupRes", "SessionStopReq", "SessionStopRes", "PreChargeReq", "PreChargeRes",
    }  # fmt: skip
    assert {row["message"] for row in lines(file, "--only", "*Stop*", "--only", "CM_SET_KEY")} == {
        "SessionStopReq", "SessionStopRes", "CM_SET_KEY.REQ", "CM_SET_KEY.CNF",
    }  # fmt: skip
    sessions = {row["session"] for row in lines(reference.path(TWO)) if row["exi_hex"]}
    assert {row["session"] for row in lines(reference.path(TWO), "--session", 1)} == {1} <= sessions
    wrong = run(reference.path("captures/pyplc/2022-12-20_alpi_currentDemandSequenceErrorShutdown.pcapng"), "--errors")
    assert wrong.count("\n") == 1
    assert "FAILED_SequenceError" in wrong
    quiet, everything = run(file), run(file, "--all")
    assert len(everything) > len(quiet)


def test_keys_are_read_and_written(tmp_path: Path) -> None:
    file = reference.path(TLS)
    log = tmp_path / "keys.log"
    run(file, "--write-keys", log)
    assert {line.split()[0] for line in log.read_text().splitlines()} >= {"CLIENT_TRAFFIC_SECRET_0"}
    assert run(file, "--keys", log, "--only", "SessionStop").count("\n") == 2


def test_what_is_no_capture_is_one_sentence_and_the_others_are_read(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"GIF89a")
    result = CliRunner().invoke(decode.command, [str(bad), str(reference.path(DIN)), "--only", "SessionSetup"])
    assert result.exit_code == 1
    assert (
        result.stderr == f"pyplc decode: {bad}: begins with 47 49 46 38: neither pcap nor pcapng, nor lines of JSON\n"
    )
    assert result.stdout.count("SessionSetup") == 2
    assert "no schema" in CliRunner().invoke(decode.command, [str(bad), "--schema", "x"]).output


def test_a_cut_capture_says_so_and_is_read() -> None:
    text = run(reference.path(CUT))
    assert "cut inside packet" in text.splitlines()[-1]


@pytest.mark.parametrize("name", [DIN, CUT])
@pytest.mark.parametrize("zipped", [False, True])
def test_the_standard_input(name: str, zipped: bool) -> None:
    data = reference.path(name).read_bytes()
    done = subprocess.run(
        [*PYPLC, "decode", "-", "--json"],
        input=gzip.compress(data) if zipped else data,
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == run(reference.path(name), "--json")


def test_a_pipe_is_decoded_as_it_comes_and_may_be_closed() -> None:
    """A message is told when it is there, not when the pipe ends; a reader that has enough is no error."""
    data = reference.path(DIN).read_bytes()
    command = [*PYPLC, "decode", "-", "--only", "CM_SLAC_PARAM"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(data[: len(data) // 2])
        process.stdin.flush()
        assert b"CM_SLAC_PARAM.REQ" in process.stdout.readline()
        process.stdin.close()
        process.stdout.read()
        assert process.wait(10) == 0
    shell = f"{shlex.join(PYPLC)} decode {reference.path(DIN)} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", shell], capture_output=True, text=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_on_a_terminal_each_group_has_its_colour() -> None:
    file = reference.path(TLS)
    process_end, terminal = pty.openpty()
    with subprocess.Popen(
        [*PYPLC, "decode", str(file), "--all"], stdout=terminal, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(terminal)
        text = b""
        while True:
            try:
                part = os.read(process_end, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            text += part
        process.wait(10)
    os.close(process_end)
    shown = text.decode().splitlines()
    for group, word in {
        "v2g": "ISO-20",
        "sdp": "SECC_Disc",
        "key": "TLS key",
        "pilot": "CP_REPORT",
        "homeplug": "CM_MNBC",
    }.items():
        coloured = click.style("|", fg=COLOURS[group]).partition("|")[0]
        assert any(line.startswith(coloured) and word in line for line in shown), group
    assert "\x1b" not in run(file)


def test_progress_on_long_files(tmp_path: Path) -> None:
    """On the terminal of the errors, and only where the result goes elsewhere."""
    long = tmp_path / "long.pcap"
    head = b"\xd4\xc3\xb2\xa1\2\0\4\0" + bytes(8) + b"\0\0\4\0\1\0\0\0"
    record = bytes(8) + (1400).to_bytes(4, "little") * 2 + bytes(1400)
    long.write_bytes(head + record * (1 + LONG // len(record)))
    process_end, terminal = pty.openpty()
    out = (tmp_path / "out").open("wb")
    with out, subprocess.Popen([*PYPLC, "decode", str(long), "--json"], stdout=out, stderr=terminal) as process:
        os.close(terminal)
        text = b""
        while True:
            try:
                text += os.read(process_end, 65536)
            except OSError:
                break
        assert process.wait(50) == 0
    os.close(process_end)
    assert b"long.pcap" in text
    assert b"100%" in text


# ----------------------------------------------------------------------------------------------------------- folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "captures"
    (made / "deep").mkdir(parents=True)
    shutil.copy(reference.path(DIN), made / "one.pcapng")
    (made / "deep" / "two.dump.gz").write_bytes(gzip.compress(reference.path(CUT).read_bytes()))
    (made / "deep" / "bad.pcap").write_bytes(b"no capture")
    (made / "readme.txt").write_text("not one either")
    return made


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_into_a_folder(folder: Path, tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(decode.command, [str(folder), "--json", "--out", str(out), "--jobs", str(jobs)])
    assert done.exit_code == 1, "one could not be read"
    found = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    assert found == ["deep/two.dump.gz.jsonl", "one.pcapng.jsonl"]
    assert (out / "one.pcapng.jsonl").read_text() == run(folder / "one.pcapng", "--json")
    assert "2 of 3 captures" in done.stdout
    assert "not read" in done.stderr and "bad.pcap" in done.stderr
    assert "two.dump.gz: damaged" in done.stderr


def test_a_folder_stopped_half_way(tmp_path: Path) -> None:
    """Ctrl-C: what is begun is finished, what is done is told, nothing hangs."""
    folder = tmp_path / "captures"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.dump").symlink_to(reference.path(LARGE))
    command = [*PYPLC, "decode", str(folder), "--json", "--out", str(tmp_path / "out"), "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("out/*.jsonl")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "captures are left" in errors
    assert " of " in out
    assert "Traceback" not in errors


def test_the_keys_of_a_folder(folder: Path, tmp_path: Path) -> None:
    shutil.copy(reference.path(TLS), folder / "three.pcapng")
    (folder / "deep" / "bad.pcap").unlink()
    log = tmp_path / "keys.log"
    run(folder, "--out", tmp_path / "out", "--jobs", 1, "--write-keys", log)
    run(folder / "three.pcapng", "--write-keys", tmp_path / "alone.log")
    assert set(log.read_text().splitlines()) >= set((tmp_path / "alone.log").read_text().splitlines()) != set()


def test_a_folder_to_the_standard_output(folder: Path) -> None:
    (folder / "deep" / "bad.pcap").unlink()
    text = run(folder, "--only", "SessionSetup")
    assert [line for line in text.splitlines() if line.startswith("== ")] == [
        f"== {folder}/deep/two.dump.gz", f"== {folder}/one.pcapng",
    ]  # fmt: skip


def test_a_cluster_gives_the_same(folder: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    (folder / "deep" / "bad.pcap").unlink()
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    script = (
        "import distributed, sys, subprocess\n"
        "if __name__ == '__main__':\n"
        "    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:\n"
        "        command = [*sys.argv[1:], '--cluster', cluster.scheduler_address]\n"
        "        print(subprocess.run(command, capture_output=True, text=True))\n"
    )
    file = tmp_path / "cluster.py"
    file.write_text(script)
    assert distributed
    out = tmp_path / "out"
    command = [*PYPLC, "decode", str(folder), "--json", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, str(file), *command], capture_output=True, text=True, env=environment, timeout=55
    )
    assert "returncode=0" in done.stdout, done.stdout + done.stderr
    assert "2 of 2 captures" in done.stdout
    assert (out / "one.pcapng.jsonl").read_text() == run(folder / "one.pcapng", "--json")


def test_a_folder_without_captures_and_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    assert "no capture" in CliRunner().invoke(decode.command, [str(tmp_path), "--out", str(tmp_path / "o")]).output
    assert CliRunner().invoke(decode.command, [str(tmp_path), "--cluster", "tcp://x"]).exit_code == 2


# -------------------------------------------------------------------------------------------------------------- live


@pytest.fixture
def namespace() -> Iterator[str]:
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        pytest.skip("needs Linux and the command ip")
    name = f"pyplc-decode-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        pytest.skip("no right to make network namespaces")
    try:
        pair = ["link", "add", "va", "type", "veth", "peer", "name", "vb"]
        made = subprocess.run(["ip", "-n", name, *pair], capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"no veth pairs here: {made.stderr.strip()}")
        for end in ("va", "vb"):
            subprocess.run(["ip", "-n", name, "link", "set", end, "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


SEND = """
import socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
    s.bind(("vb", 0))
    for frame in sys.argv[1:]:
        s.send(bytes.fromhex(frame))
"""


def test_live_from_an_interface(namespace: str) -> None:
    """The same output as from a file, as it comes, until Ctrl-C, which is no error."""
    exi = pack(0x8001, bytes.fromhex("809a02000000000000000011d01b703a84459c2000"))
    ends = ((b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"), ("fe80::1", "fe80::2"), (49152, 61000))
    frames = [tcp_frame(*ends, (1 + i * len(exi), 1), 0x18, exi).hex() for i in range(3)]
    inside = ["ip", "netns", "exec", namespace]
    command = [*inside, *PYPLC, "decode", "va", "--only", "SessionSetup"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        time.sleep(1.5)
        subprocess.run([*inside, sys.executable, "-c", SEND, *frames], check=True)
        found = [process.stdout.readline().split() for _ in frames]
        assert [(words[2], words[3], words[5]) for words in found] == [("1", "ev", "SessionSetupReq")] * 3
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
