"""The demo: a simulated shop that has every kind of segmentation, then an ordinary project on a year of a real shop's invoices."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from ethogram.app import render
from ethogram.app.demo_kinds import SUBFOLDER, show_kinds
from ethogram.app.look import show_segments
from ethogram.app.run import show_refreshed
from ethogram.app.start import show_loaded
from ethogram.app.tables import show_explained, show_flow
from ethogram.app.workbench import Progress, Workbench
from ethogram.model.errors import DataError, EnvironmentFault

NAME = 'name = "gift-shop"'
SEGMENTATION = "life_stage"
EXPLAINED = "lapsing"
WORTH = "spend"


def run_demo(folder: Path, progress: Progress) -> None:
    """Writes both projects unless they are there, loads and evaluates them, and shows what came of it."""
    write_project(folder)
    render.say(
        "First a department store that never was: what its customers do is made up, and where some of them belong is "
        "known. Then a real shop, as proof."
    )
    show_kinds(folder / SUBFOLDER, progress)
    _show_real(folder, progress)


def _show_real(folder: Path, progress: Progress) -> None:
    """Loads, evaluates a month before and now."""
    render.heading("A real shop")
    render.say(
        f"A British online shop for gifts, December 2010 to December 2011; many of its customers are wholesalers.\n"
        f"Its invoices and {_definitions(folder)} are now in {folder}, an ordinary project."
    )
    with Workbench(folder, progress) as bench:
        render.heading("$ ethogram load")
        show_loaded(bench.load())
        newest, zone = bench.newest(), bench.settings.timezone
        if bench.has_refreshed():
            render.heading("$ ethogram refresh")
        else:
            before = bench.month_before_newest()
            render.heading(
                f"$ ethogram refresh --as-of '{before}'     a month before, to have something to compare with"
            )
            show_refreshed(bench.refresh(as_of=before), zone, newest)
            render.heading("$ ethogram refresh")
        show_refreshed(bench.refresh(), zone, newest)
        render.heading("$ ethogram segments")
        listing = bench.segments()
        render.say(
            f"As of {render.as_of(listing.as_of, zone, newest)}: {render.counted(listing.customers, 'customer')}.\n"
        )
        show_segments(listing, zone)
        render.heading(f"$ ethogram flow {SEGMENTATION}")
        show_flow(bench.flow(SEGMENTATION), zone, newest)
        customer = _worth_explaining(bench)
        render.heading(f"$ ethogram explain {customer} {EXPLAINED}")
        show_explained(bench.explain(customer, [EXPLAINED])[0], bench.settings, newest)
        _report(bench, folder / "report.html")
    _show_next(folder, customer)


def _report(bench: Workbench, file: Path) -> None:
    from ethogram.app.pictures import require_charts
    from ethogram.app.report import write_report

    render.heading("$ ethogram report")
    try:
        require_charts()
    except EnvironmentFault as error:
        render.say(str(error))
        return
    write_report(bench, file)
    render.say(f"Written to {file}: open it in a browser.")


def write_project(folder: Path) -> None:
    """Copies settings, definitions and data; leaves an earlier demo as it is. Raises DataError E_PROJECT_EXISTS."""
    settings = folder / "ethogram.toml"
    if settings.exists():
        if NAME not in settings.read_text(encoding="utf-8", errors="replace"):
            hint = "Name a folder that is not there yet: ethogram demo DIR"
            raise DataError("E_PROJECT_EXISTS", f"{folder} is another project already", hint=hint)
        return
    if folder.exists() and any(folder.iterdir()):
        hint = "Name a folder that is empty, or not there yet: ethogram demo DIR"
        raise DataError("E_FOLDER_NOT_EMPTY", f"{folder} holds other things", hint=hint)
    try:
        with as_file(files("ethogram") / "demo") as source:
            shutil.copytree(source / "data", folder / "data", dirs_exist_ok=True)
            shutil.copytree(source / "project", folder, dirs_exist_ok=True)
        (folder / ".gitignore").write_text(".ethogram/\n", encoding="utf-8")
    except OSError as error:
        raise EnvironmentFault(
            "E_WRITE", f"{folder} cannot be written: {error.strerror or type(error).__name__}"
        ) from None


def _definitions(folder: Path) -> str:
    return render.counted(
        len(list((folder / "definitions").glob("*.yml"))), "file of definitions", "files of definitions"
    )


def _worth_explaining(bench: Workbench) -> str:
    """Of those who are slipping away, the one who was worth most."""
    rows = bench.members(EXPLAINED, columns=[WORTH]).to_pylist()
    return str(max(rows, key=lambda row: (row[WORTH] or 0, row["customer"]))["customer"])


def _show_next(folder: Path, customer: str) -> None:
    render.heading("What to type next")
    render.commands(
        (f"cd {folder}", ""),
        (f"ethogram explain {customer}", "all about one customer"),
        ("ethogram describe vip", "what it means, who they are"),
        ("ethogram count 'did(purchase, last=7d)'", "ask anything"),
        ("ethogram members vip --columns spend -o vip.csv", "whom to write to"),
        ("ethogram history loyal", "its size, day by day"),
        ("ethogram catalog", "ready-made definitions"),
        ("ethogram verify", "a second computation, compared"),
        ("ethogram plan", "what an edit would do"),
        (f"cd {SUBFOLDER}; ethogram segments", "the simulated shop, all kinds"),
    )
