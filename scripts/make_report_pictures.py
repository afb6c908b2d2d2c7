"""Takes the pictures of docs/insight/report.md anew, of a project such as the demo's. Needs a Chromium on the path.

python scripts/make_report_pictures.py FOLDER
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent.parent / "docs" / "images"
WINDOW = "1100,1500"


def ethogram(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-c", "from ethogram.app.cli import main; main()", *arguments], check=True
    )


def main(project: str) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("no Chromium is on the path")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        ethogram("report", "--project", project, "--output", str(page))
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--window-size={WINDOW}",
        ]
        target = f"--screenshot={IMAGES / 'report.png'}"
        subprocess.run([browser, *options, target, page.as_uri()], check=True, capture_output=True)
    ethogram("flow", "life_stage", "--project", project, "--chart", str(IMAGES / "flow.png"))
    ethogram("describe", "loyal", "--project", project, "--chart", str(IMAGES / "who.png"))


if __name__ == "__main__":
    main(sys.argv[1])
