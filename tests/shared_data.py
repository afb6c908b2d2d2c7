"""Real data beside the project, where it is there; tests of it are skipped elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("ETHOGRAM_SHARED") or Path(__file__).parents[2] / "shared") / "data"
WEB_SHOP = DATA / "retentioneering-ecom" / "ecom.csv.gz"
