"""Makes the demo's Parquet file out of the Online Retail data set.

    python scripts/make_demo_data.py online-retail.csv.gz

The input is the table of the UCI Machine Learning Repository as csv (D. Chen, 2015, CC BY 4.0; see ATTRIBUTION.md).
Every line is kept, in its order: cancellations, lines without a customer, fees and corrections too. The only
changes are of form: `17850.0` becomes the customer `17850`, prices become decimals, the file becomes Parquet.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

TARGET = Path(__file__).parent.parent / "src" / "ethogram" / "demo" / "data" / "online-retail.parquet"
LINES = 541_909

READ = """
create table lines as
select InvoiceNo, StockCode, Description, Quantity::int as Quantity, InvoiceDate::timestamp as InvoiceDate,
       UnitPrice::decimal(9, 3) as UnitPrice, split_part(CustomerID, '.', 1) as CustomerID, Country
from read_csv(?, header = true, all_varchar = true)
"""


def main(source: Path) -> None:
    database = duckdb.connect(config={"threads": 1, "preserve_insertion_order": True})
    database.execute(READ, [str(source)])
    (lines,) = database.execute("select count(*) from lines").fetchone() or (0,)
    if lines != LINES:
        raise SystemExit(f"{source} has {lines:,} lines, the data set has {LINES:,}")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    database.execute(
        f"copy lines to '{TARGET}' (format parquet, compression zstd, compression_level 19, row_group_size 600000)"
    )
    print(f"{TARGET}: {lines:,} lines, {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
