"""`report` and `--chart`: one page that needs nothing else, with everything on it; pictures that hold what they show."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import Result

import ethogram
from tests.command_line import run

PNG = b"\x89PNG"


class Page(HTMLParser):
    """The texts of a page, its images and all it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.images: list[tuple[str, str]] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.addresses += [found[name] for name in ("src", "href") if name in found]
        if tag == "img":
            self.images.append((found["src"], found["alt"]))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def words_of(image: str) -> str:
    kind, _, data = image.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return " ".join(ElementTree.fromstring(base64.b64decode(data)).itertext())


@pytest.fixture(scope="module")
def page(demo: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory) -> Page:
    file = tmp_path_factory.mktemp("report") / "monday.html"
    done = run("report", "--project", demo[0], "-o", file)
    assert done.exit_code == 0, done.output
    return Page(file.read_text("utf-8"))


def test_the_page_needs_no_network(page: Page) -> None:
    assert page.addresses and all(address.startswith("data:") for address in page.addresses)


def test_every_segment_and_group_is_on_it(demo: tuple[Path, Result], page: Page) -> None:
    pictures = " ".join(words_of(image) for image, _ in page.images)
    for line in ethogram.open(demo[0]).segments().to_pylist():
        title = line["title"] or line["name"]
        assert title in pictures
        assert f"{line['size']:,} · {100 * line['share']:.0f}%" in pictures
        if line["kind"] == "segment":
            assert title in page.text


def test_every_picture_says_what_it_shows(page: Page) -> None:
    assert all(len(text) > 15 for _, text in page.images)
    assert len(page.images) > 20


def test_figures_are_those_of_the_verbs_in_the_currency(demo: tuple[Path, Result], page: Page) -> None:
    revenue = ethogram.open(demo[0]).metrics("revenue").to_pylist()[0]["now"]["value"]
    assert f"£{revenue:,.0f}" in page.text
    for finding in json.loads(run("health", "--project", demo[0], "--json").stdout)["findings"]:
        assert finding["found"] in page.text


def test_a_flow_is_as_wide_as_its_customers(demo: tuple[Path, Result], page: Page) -> None:
    project = ethogram.open(demo[0])
    sizes = {
        line["name"]: line["size"]
        for line in project.segments().to_pylist()
        if line["segmentation"] == "life_stage"
    }
    drawn = next(
        words_of(image) for image, text in page.images if text.startswith("Bands") and "Life stage" in text
    )
    assert all(re.search(rf"{name}\s+{size:,}", drawn) for name, size in sizes.items())  # fmt: skip


@pytest.mark.parametrize(
    "verb",
    [["flow", "life_stage"], ["history", "vip", "--days", "5"], ["describe", "vip"], ["compare", "vip", "loyal"],
     ["funnel", "purchase", "vip"], ["retention"]],
)  # fmt: skip
def test_every_view_can_be_drawn(demo: tuple[Path, Result], tmp_path: Path, verb: list[str]) -> None:
    for name in ("view.svg", "view.png"):
        done = run(*verb, "--project", demo[0], "--chart", tmp_path / name)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "view.png").read_bytes().startswith(PNG)
    assert ElementTree.parse(tmp_path / "view.svg").getroot().tag.endswith("svg")
    assert run(*verb, "--project", demo[0], "--chart", tmp_path / "view.gif").exit_code == 2


@pytest.mark.parametrize(
    ("verb", "title"),
    [(["history", "vip", "--days", "5"], "VIP"), (["retention"], "purchase: who came back"),
     (["flow", "life_stage"], "life_stage, 9 Nov 2011 to 9 Dec 2011")],
)  # fmt: skip
def test_a_picture_says_what_it_shows(
    demo: tuple[Path, Result], tmp_path: Path, verb: list[str], title: str
) -> None:
    assert run(*verb, "--project", demo[0], "--chart", tmp_path / "view.svg").exit_code == 0
    words = [
        " ".join(found.itertext()) for found in ElementTree.parse(tmp_path / "view.svg").iter() if found.text
    ]
    assert title in words


def test_segments_are_drawn_in_notebooks(demo: tuple[Path, Result]) -> None:
    view = ethogram.open(demo[0]).segment("vip")
    assert view.chart().to_dict()["title"] == "VIP"
    assert view.history(days=3).to_dict()["layer" if "layer" in view.history(days=3).to_dict() else "mark"]


SETTINGS = """\
name = "a <b> & c"
timezone = "UTC"

[sources.log]
files = "log.csv"
customer = "customer"
time = "at"
message_id = "id"
event = "event"
"""


@pytest.mark.parametrize("rows", [["a,2026-03-02,Visited,1"], [f"c{n},2026-03-02 10:00,Visited,{n}" for n in range(9)],
                                  [f"c{n % 30},2026-0{1 + n % 4}-1{n % 9},Visited,{n}" for n in range(200)]])  # fmt: skip
def test_a_page_of_little(tmp_path: Path, rows: list[str]) -> None:
    """No revenue, one event, one day, segments of nobody and of one."""
    (tmp_path / "definitions").mkdir()
    (tmp_path / "ethogram.toml").write_text(SETTINGS)
    (tmp_path / "definitions" / "all.yml").write_text(
        "segments:\n  nobody: not everyone\n  all: everyone\n  first: in_list(\"one\")\n"
        "segmentations:\n  halves:\n    groups:\n      left: bucket(\"x\") < 0.5\n      right: otherwise\n"
        "lists:\n  one: [a, c1]\n"
    )  # fmt: skip
    (tmp_path / "log.csv").write_text("\n".join(["customer,at,event,id", *rows]) + "\n")
    assert run("load", "--project", tmp_path).exit_code == 0
    done = run("report", "--project", tmp_path, "-o", tmp_path / "r.html")
    assert done.exit_code == 0, done.output
    assert "a <b> & c" in Page((tmp_path / "r.html").read_text("utf-8")).text


def test_a_page_that_cannot_be_written(demo: tuple[Path, Result], tmp_path: Path) -> None:
    done = run("report", "--project", demo[0], "-o", tmp_path / "missing" / "r.html")
    assert done.exit_code == 3 and "E_WRITE" in done.output
