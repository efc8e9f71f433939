"""Many captures into a folder of results: on all cores, or on a Dask cluster, with progress and a summary."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..capture import hal
from ..capture.events import Damage, Message, Tls
from ..capture.files import CaptureError, packets
from ..capture.keylog import load
from ..capture.output import SUFFIXES, Choice, Writer
from ..capture.reader import Reader, events
from ..capture.tls import NO_KEYS

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ends: 128 and SIGINT."""


class Job(NamedTuple):
    """What is done with each capture; `write_keys` is the file for the TLS keys of all."""

    form: str
    with_xml: bool
    schema: str | None
    choice: Choice
    keys: tuple[str, ...]
    write_keys: str | None = None
    hal_names: str | None = None


class Result(NamedTuple):
    """What came of one capture; `error` says why nothing did, `locked` that TLS keys are missing."""

    name: str
    packets: int = 0
    messages: int = 0
    unreadable: int = 0
    damaged: bool = False
    seconds: float = 0.0
    error: str = ""
    keys: tuple[str, ...] = ()
    locked: bool = False


def decode_file(source: str, target: str, job: Job) -> Result:
    """Decode one capture into one file; never raises for what is in the capture."""
    start = time.process_time()
    messages = unreadable = 0
    damaged = locked = False
    try:
        if job.hal_names is not None:  # this may be another process
            hal.learn(job.hal_names)
        reader = Reader(keys=load(*job.keys), schema=job.schema)
        writer = Writer(job.form, xml=job.with_xml, start=reader.started)
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        with open(source, "rb", buffering=0) as stream, open(target, "w", encoding="utf-8") as out:
            out.write(writer.head)
            for event in events(packets(stream), reader):
                if isinstance(event, Message):
                    messages += 1
                    unreadable += event.error is not None
                damaged = damaged or isinstance(event, Damage)
                locked = locked or (isinstance(event, Tls) and event.name == NO_KEYS)
                if job.choice(event):
                    out.write(writer(event))
    except (CaptureError, OSError) as error:
        Path(target).unlink(missing_ok=True)
        return Result(source, error=getattr(error, "strerror", None) or str(error))
    seconds = time.process_time() - start
    keys = tuple(f"{key.line}\n" for key in reader.keylog.all()) if job.write_keys else ()
    return Result(source, reader.packets, messages, unreadable, damaged, seconds, keys=keys, locked=locked)


def decode_all(what: Iterable[str], out: Path, job: Job, jobs: int | None, cluster: str | None) -> None:
    """Decode files and folders into `out`, the results named after the captures; exit code 1 if any cannot be read."""
    work = list(_targets(what, out, SUFFIXES[job.form]))
    if not work:
        raise click.ClickException("there is no capture (.pcap, .pcapng, .cap, .dump, or .gz of one)")
    start = time.monotonic()
    results = _on_cluster(work, job, cluster) if cluster else _on_cores(work, job, jobs or os.cpu_count() or 1)
    done: list[Result] = []
    stopped = False
    try:
        with _progress(len(work)) as step, closing(results):
            for result in results:
                done.append(result)
                step(result)
    except KeyboardInterrupt:
        stopped = True
        click.echo(f"stopped: {len(work) - len(done)} captures are left", err=True)
    _summary(done, time.monotonic() - start, out)
    if job.write_keys:
        Path(job.write_keys).write_text("".join(dict.fromkeys(line for result in done for line in result.keys)))
    sys.exit(INTERRUPTED if stopped else 1 if any(result.error for result in done) else 0)


def _targets(what: Iterable[str], out: Path, suffix: str) -> Iterator[tuple[str, str]]:
    from .decode_capture import captures_in

    for each in map(Path, what):
        for file in captures_in(each) if each.is_dir() else [each]:
            relative = file.relative_to(each) if each.is_dir() else Path(file.name)
            yield str(file), str(out / relative.with_name(relative.name + suffix))


def _on_cores(work: list[tuple[str, str]], job: Job, jobs: int) -> Generator[Result, None, None]:
    if jobs == 1 or len(work) == 1:
        yield from (decode_file(source, target, job) for source, target in work)
        return
    pool = ProcessPoolExecutor(
        min(jobs, len(work)), initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
    )
    try:
        futures = {pool.submit(decode_file, source, target, job): source for source, target in work}
        for future in as_completed(futures):
            error = future.exception()
            yield future.result() if error is None else Result(futures[future], error=f"{error!r}")
    finally:  # Ctrl-C: those that are begun are finished
        pool.shutdown(cancel_futures=True)


def _on_cluster(work: list[tuple[str, str]], job: Job, address: str) -> Generator[Result, None, None]:
    """The captures and the folder of results must be at the same place on every machine of the cluster."""
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError:
        raise click.ClickException("--cluster needs the extra: pip install pyplc[cluster]") from None
    try:
        client = distributed.Client(address, timeout="10s")
    except OSError as error:
        raise click.ClickException(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        sources, targets = zip(*work, strict=True)
        futures = client.map(decode_file, sources, targets, job=job, pure=False)
        names = {future.key: source for future, source in zip(futures, sources, strict=True)}
        for future in distributed.as_completed(futures):
            problem: Any = future.exception()
            yield future.result() if problem is None else Result(names[future.key], error=f"{problem!r}")


class _progress:
    """A bar on the terminal of the errors; nothing where that is no terminal."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._bar: Any = None

    def __enter__(self) -> Callable[[Result], None]:
        if not sys.stderr.isatty():
            return lambda _: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._bar.start()
        task = self._bar.add_task("", total=self._total)
        return lambda result: self._bar.update(task, advance=1, description=Path(result.name).name[:60])

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _remarks(result: Result) -> Iterator[str]:
    if result.unreadable:
        yield f"{result.unreadable} messages unreadable"
    if result.damaged:
        yield "damaged"
    if result.locked:
        yield "TLS keys missing"


def _summary(done: list[Result], wall: float, out: Path) -> None:
    for result in sorted(done):
        if result.error:
            click.echo(f"not read: {result.name}: {result.error}", err=True)
        elif remarks := list(_remarks(result)):
            click.echo(f"remark: {result.name}: {', '.join(remarks)}", err=True)
    read = [result for result in done if not result.error]
    click.echo(
        f"{len(read)} of {len(done)} captures, {sum(r.packets for r in read)} packets, "
        f"{sum(r.messages for r in read)} V2G messages in {wall:.1f} s "
        f"({sum(r.seconds for r in read):.1f} s of CPU), results in {out}"
    )
