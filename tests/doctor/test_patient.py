"""The real machine, as far as any has it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyplc.doctor import patient
from pyplc.doctor.patient import Machine


async def test_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    assert await machine.run(sys.executable, "-c", "print('heard')") == "heard\n"
    assert await machine.run(sys.executable, "-c", "raise SystemExit(3)") is None
    assert await machine.run("no-such-program-anywhere") is None
    monkeypatch.setattr(patient, "PROGRAM_S", 0.2)
    assert await machine.run(sys.executable, "-c", "import time; time.sleep(30)") is None


def test_files(tmp_path: Path) -> None:
    machine = Machine()
    machine.root = tmp_path
    (tmp_path / "there").write_text("yes\n")
    assert machine.read("/there") == "yes" and machine.exists("/there")
    assert machine.read("/not") is None and not machine.exists("/not")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux asks the kernel")
def test_the_kernel_is_asked() -> None:
    machine = Machine()
    assert "lo" in machine.interfaces()
    assert machine.eee("lo") is None and machine.eee("no-such-one") is None
    assert machine.synchronised() in (True, False, None)
