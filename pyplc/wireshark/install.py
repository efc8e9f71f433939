"""Putting our files into a user's Wireshark folders, and taking exactly these away again.

A list of what was installed stands beside them (`pyplc-installed.json`): files with the hash they were written with,
and lines put into a file of the user's. What somebody changed since is his, and stays.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from . import profile
from .lua import dissector

LIST = "pyplc-installed.json"
_SAID = {"Personal configuration": 0, "Personal Lua Plugins": 1, "Personal Extcap path": 2, "Global configuration": 3}
"""What `tshark -G folders` calls them."""


class WiresharkError(Exception):
    """What cannot be installed or removed; the text says what to do."""


class Folders(NamedTuple):
    """The user's folders, and the one with Wireshark's own files where it is known."""

    config: Path
    plugins: Path
    extcap: Path
    system: Path | None = None


class Installed(msgspec.Struct):
    """What was installed: files by path with their hash, lines by file."""

    files: dict[str, str] = {}
    lines: dict[str, list[str]] = {}


def folders(chosen: Path | None = None) -> Folders:
    """The folders below `chosen`; without it, those that Wireshark names, or its usual ones."""
    if chosen is not None:
        return Folders(chosen, chosen / "plugins", chosen / "extcap", _told()[3])
    usual = _usual()
    config, plugins, extcap, system = _told()
    if config is None:
        return usual
    return Folders(config, plugins or usual.plugins, extcap or config / "extcap", system)


def _usual() -> Folders:
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home())) / "Wireshark"
        return Folders(base, base / "plugins", base / "extcap")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "wireshark"
    return Folders(config, Path.home() / ".local/lib/wireshark/plugins", config / "extcap")


def _told() -> list[Path | None]:
    found: list[Path | None] = [None] * len(_SAID)
    program = shutil.which("tshark") or shutil.which("wireshark")
    if program is None:
        return found
    try:
        said = subprocess.run([program, "-G", "folders"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return found
    for line in said.stdout.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in _SAID and value.strip():
            found[_SAID[name.strip()]] = Path(value.strip())
    return found


def wanted(where: Folders) -> Iterator[tuple[Path, str]]:
    """The files that are ours alone, with their text."""
    own = where.config / "profiles" / profile.PROFILE
    yield where.plugins / "pyplc.lua", dissector()
    yield own / "colorfilters", profile.colorfilters(_rules_of(where))
    yield own / "preferences", profile.preferences()
    if sys.platform == "win32":
        yield where.extcap / "pyplc.bat", f'@echo off\r\n"{sys.executable}" -m pyplc.wireshark.extcap %*\r\n'
    else:
        yield where.extcap / "pyplc", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pyplc.wireshark.extcap "$@"\n'


def _rules_of(where: Folders) -> str:
    """Wireshark's own colouring rules; empty where they are not found."""
    file = where.system / "colorfilters" if where.system is not None else None
    return file.read_text(encoding="utf-8") if file is not None and file.exists() else ""


def install(where: Folders) -> list[str]:
    """Write everything; says what was done, a line each. WiresharkError where a folder cannot be written."""
    installed = _load(where)
    done: list[str] = []
    try:
        for file, text in wanted(where):
            if file.exists() and not _is_ours(file, installed):
                done.append(f"kept     {file}: it is not as pyplc wrote it; remove it to have it anew")
                continue
            _write(file, text)
            if file.parent == where.extcap:
                file.chmod(0o755)
            installed.files[str(file)] = _hash(file)
            done.append(f"wrote    {file}")
        done.append(_add_rules(where, installed))
        _write(where.config / LIST, msgspec.json.format(msgspec.json.encode(installed)).decode())
    except OSError as error:
        raise WiresharkError(f"{error.filename}: {error.strerror}") from None
    return done


def _add_rules(where: Folders, installed: Installed) -> str:
    """Our rules above those of the user (above Wireshark's own, if he has none)."""
    file = where.config / "colorfilters"
    if not file.exists():
        others = _rules_of(where)
        if not others:
            return f"left     {file}: there is none, and Wireshark's own rules were not found; use profile pyPLC"
        _write(file, profile.colorfilters(others))
        installed.files[str(file)] = _hash(file)
        installed.lines[str(file)] = profile.colour_lines()
        return f"wrote    {file}: our rules, then Wireshark's own"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    known = set(map(str.rstrip, lines))
    new = [line for line in profile.colour_lines() if line not in known]
    if not new:
        return f"is there {file}: our rules"
    ours = str(file) in installed.files and _is_ours(file, installed)
    _write(file, "".join(f"{line}\n" for line in new) + "".join(lines))
    installed.lines[str(file)] = [*installed.lines.get(str(file), []), *new]
    if ours:
        installed.files[str(file)] = _hash(file)
    return f"changed  {file}: {len(new)} rules above the others"


def remove(where: Folders) -> list[str]:
    """Take away what was installed and is as it was; says what was done. WiresharkError if nothing is known."""
    if not (where.config / LIST).exists():
        raise WiresharkError(f"there is no {where.config / LIST}: nothing of pyplc is installed there")
    installed = _load(where)
    done: list[str] = []
    try:
        for name in installed.files:
            file = Path(name)
            if not file.exists():
                done.append(f"is gone  {file}")
            elif _is_ours(file, installed):
                file.unlink()
                done.append(f"removed  {file}")
                _remove_empty(file.parent, where)
            elif name not in installed.lines:
                done.append(f"kept     {file}: it was changed since")
        done += [_take_lines(Path(name), lines) for name, lines in installed.lines.items() if Path(name).exists()]
        (where.config / LIST).unlink()
        _remove_empty(where.config, where)
    except OSError as error:
        raise WiresharkError(f"{error.filename}: {error.strerror}") from None
    return done


def _take_lines(file: Path, ours: list[str]) -> str:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.rstrip("\r\n") not in ours]
    if len(kept) < len(lines):
        _write(file, "".join(kept))
    return f"changed  {file}: {len(lines) - len(kept)} rules taken away, {len(kept)} lines kept"


def _remove_empty(folder: Path, where: Folders) -> None:
    """Folders in which nothing is left, up to the user's Wireshark folders; those themselves stay."""
    while folder not in (where.config, where.plugins.parent, where.config.parent) and folder.is_dir():
        if any(folder.iterdir()):
            return
        folder.rmdir()
        folder = folder.parent


def _load(where: Folders) -> Installed:
    file = where.config / LIST
    if not file.exists():
        return Installed({}, {})
    try:
        return msgspec.json.decode(file.read_bytes(), type=Installed)
    except msgspec.MsgspecError as error:
        raise WiresharkError(f"{file} cannot be read ({error}); remove it and what it names by hand") from None


def _is_ours(file: Path, installed: Installed) -> bool:
    return installed.files.get(str(file)) == _hash(file)


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _write(file: Path, text: str) -> None:
    """Whole or not at all, in the user's own encoding of lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(file.name + ".new")
    new.write_bytes(text.encode())
    new.replace(file)
