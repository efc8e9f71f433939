"""`pyplc listen` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pyplc.cli.main import main
from pyplc.config import ConfigError, ListenSettings, load

CONFIG = Path(__file__).parents[2] / "config" / "listen.toml"


def test_a_missing_interface_is_told() -> None:
    done = CliRunner().invoke(main, ["listen", "nope0"])
    assert done.exit_code == 1 and "nope0" in done.output and "Traceback" not in done.output


def test_the_settings_file_holds_the_defaults() -> None:
    assert load(CONFIG, ListenSettings) == ListenSettings()


def test_a_wrong_key_is_told_with_its_place(tmp_path: Path) -> None:
    wrong = tmp_path / "listen.toml"
    wrong.write_text("[listen]\njion = true\n")
    with pytest.raises(ConfigError, match=r"listen\.jion; did you mean join"):
        load(wrong, ListenSettings)
