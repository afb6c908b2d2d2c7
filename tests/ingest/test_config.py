"""`ethogram.toml`: every complaint names line, column and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethogram.ingest.config import Pick, parse_config, read_config
from ethogram.model.errors import EnvironmentFault, EthogramError, Problems

GOOD = """
name = "my-shop"
timezone = "Europe/London"
currency = "gbp"
country = "GB"
week_starts = "sunday"
revenue = "purchase.total"

[sources.orders]
files = ["data/orders*.csv.gz", "more.csv"]
customer = "CustomerID"
time = "InvoiceDate"
event = { constant = "Order Completed" }
properties = { total = "Amount" }
types = { Zip = "text", Day = "time %d/%m/%Y" }
"""


def test_settings_and_sources() -> None:
    config = parse_config(GOOD, Path("/p"))
    settings = config.settings
    assert (settings.name, settings.timezone, settings.currency, settings.country) == (
        "my-shop",
        "Europe/London",
        "GBP",
        "GB",
    )
    assert (settings.week_starts, config.revenue) == (6, "purchase.total")
    source = config.sources["orders"]
    assert source.files == ("data/orders*.csv.gz", "more.csv")
    assert source.picks["event"] == Pick("Order Completed", column=False)
    assert source.properties == {"total": "Amount"}
    assert source.fingerprint(settings) != parse_config(GOOD.replace("Amount", "Sum"), Path("/p")).sources[
        "orders"
    ].fingerprint(settings)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('nam = "x"', "ethogram.toml:1:1", "did you mean name?"),
        ("name = 3", "ethogram.toml:1:1", "text in quotes"),
        ('timezone = "Europe/Londn"', "ethogram.toml:1:1", "did you mean Europe/London"),
        ("week_starts = 9", "ethogram.toml:1:1", "weekday"),
        ('[sources.e]\nfiles = "x.csv"\ncustmer = "a"', "ethogram.toml:3:1", "did you mean customer?"),
        ('[sources.e]\ncustomer = "a"', "ethogram.toml:1:1", "names no files"),
        (
            '[sources.e]\nfiles = "x.csv"\nevent = { colum = "a" }',
            "ethogram.toml:3:1",
            "event names a column",
        ),
        (
            '[sources.e]\nfiles = "x.csv"\ntypes = { a = "text", b = "nummer" }',
            "ethogram.toml:3:23",
            "no type",
        ),
        ('[sources.e]\nfiles = "x.csv"\nselect = "select 1"\ntime = "t"', "ethogram.toml:4:1", "two ways"),
        ('[sources.e]\nfiles = "x.csv"\ndelimiter = ";;"', "ethogram.toml:3:1", "one character"),
        ('[sources.e]\nfiles = "x.csv"\nencoding = "utf-9"', "ethogram.toml:3:1", "no encoding"),
        ('[sources.e]\nfiles = "x.csv"\nkind = "tracked"', "ethogram.toml:3:1", "one of track"),
        ('[sources]\ne = { files = "x.csv", formt = "csv" }', "ethogram.toml:2:24", "did you mean format?"),
        ('sources.e.files = "x.csv"\nsources.e.headr = true', "ethogram.toml:2:1", "did you mean header?"),
        ("[limits]\nselect_seconds = 0", "ethogram.toml:2:1", "positive"),
        ('name = "a"\nname = "b"', "ethogram.toml:2", ""),
        ('name = "a', "ethogram.toml:1", ""),
    ],
)
def test_complaints(text: str, place: str, said: str) -> None:
    with pytest.raises(EthogramError) as caught:
        parse_config(text, Path("/p"))
    assert caught.value.place.startswith(place)
    assert said in str(caught.value)


def test_all_complaints_at_once() -> None:
    with pytest.raises(Problems) as caught:
        parse_config('nam = "x"\ncurency = "y"', Path("/p"))
    assert [error.line for error in caught.value.errors] == [1, 2]


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        read_config(tmp_path)
    assert caught.value.code == "E_NO_PROJECT"
    (tmp_path / "ethogram.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(EthogramError) as bad:
        read_config(tmp_path)
    assert bad.value.place == "ethogram.toml:1:1"
