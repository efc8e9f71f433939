"""A computer that is what a test says it is; and the street's module of the service's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "service"))

from computers import Computer  # beside this file


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """With one sound interface, eth1."""
    return Computer(tmp_path / "root")
