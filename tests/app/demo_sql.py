"""The demo's segments once more, in plain SQL over the invoice lines: nothing here knows the definition language."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb

LINES = Path(__file__).parents[2] / "src" / "ethogram" / "demo" / "data" / "online-retail.parquet"
NEWEST = datetime(2011, 12, 9, 12, 50)
MONTH_BEFORE = datetime(2011, 11, 9, 12, 50)

PREPARE = f"""
set timezone = 'UTC';
create table lines as from '{LINES}';
create table all_orders as
    select CustomerID as c, InvoiceNo as i, min(InvoiceDate) as t, (min(InvoiceDate) at time zone 'Europe/London')::timestamp as u,
           sum(Quantity * UnitPrice) as total, sum(Quantity) as units
    from lines where Quantity > 0 and UnitPrice > 0 and CustomerID is not null group by all;
create table all_bought as
    select o.c, o.i, o.t, o.u, l.StockCode as sku, l.Description as name, l.Quantity as quantity
    from all_orders o join lines l on l.InvoiceNo = o.i and l.CustomerID = o.c
    where l.Quantity > 0 and l.UnitPrice > 0
      and l.StockCode not in ('POST', 'DOT', 'C2', 'D', 'M', 'm', 'S', 'B', 'CRUK', 'BANK CHARGES', 'AMAZONFEE');
create table all_cancelled as
    select CustomerID as c, InvoiceNo as i, min(InvoiceDate) as t, (min(InvoiceDate) at time zone 'Europe/London')::timestamp as u
    from lines
    where InvoiceNo like 'C%' and CustomerID is not null group by all;
"""

AS_OF = """
create or replace temp view orders as from all_orders where t <= getvariable('now');
create or replace temp view bought as from all_bought where t <= getvariable('now');
create or replace temp view cancelled as from all_cancelled where t <= getvariable('now');
create or replace temp view everyone as select distinct c from (select c from orders union all select c from cancelled);
create or replace temp view gaps as
    select c, u, u - lag(u) over (partition by c order by u, i) as gap from orders;
create or replace temp view life as
    select c, count(*) as n, sum(total) as spend, min(u) as first, max(u) as last, median(units) as units,
           coalesce(sum(total) filter (u > getvariable('now') - interval 90 days), 0) as spend_90,
           coalesce(sum(total) filter (u > getvariable('now') - interval 180 days
                                       and u <= getvariable('now') - interval 90 days), 0) as spend_180
    from orders group by c;
"""

ONE_YEAR = "t > getvariable('now') - interval 1 year"

SEGMENTS = {
    "new_customers": "select c from life where first > getvariable('now') - interval 30 days",
    "second_order_due": "select c from life where n = 1 and getvariable('now') - last between interval 14 days and interval 56 days",
    "repeat_customers": "select c from life where n >= 2",
    "one_and_done": "select c from life where n = 1 and last <= getvariable('now') - interval 90 days",
    "loyal": """select c from orders where t >= date_trunc('month', getvariable('now')) - interval 6 months
                and t < date_trunc('month', getvariable('now'))
                group by c having count(distinct date_trunc('month', t)) >= 4""",
    "lapsing": """select c from life join (select c, median(epoch_us(gap)) as usual from gaps where gap is not null group by c) using (c)
                  where n >= 3 and epoch_us(getvariable('now') - last) > 1.5 * usual
                  and getvariable('now') - last between interval 30 days and interval 180 days""",
    "lapsed_customers": "select c from life where last <= getvariable('now') - interval 180 days",
    "reactivated": "select distinct c from gaps where gap >= interval 90 days and u > getvariable('now') - interval 30 days",
    "vip": f"""with s as (select c, coalesce(sum(total) filter ({ONE_YEAR}), 0) as x from everyone left join orders using (c) group by c)
              select a.c from s a where (select count(*) from s b where b.x > a.x) * 10 < (select count(*) from s)""",
    "rising": "select c from life where spend_180 > 0 and round(spend_90 / spend_180, 6) >= 1.5",
    "declining": """select c from life where spend_180 > 0 and round(spend_90 / spend_180, 6) < 0.5
                    and last > getvariable('now') - interval 90 days""",
    "big_baskets": "select distinct c from orders where total >= 1000 and u > getvariable('now') - interval 90 days",
    "wholesalers": "select c from life where n >= 3 and units >= 300",
    "by_the_gross": f"select distinct c from bought where quantity >= 144 and {ONE_YEAR}",
    "tried_then_stocked_up": """select distinct a.c from orders a join orders b on a.c = b.c and a.i <> b.i and b.u >= a.u
        where a.total < 200 and b.total >= 500 and b.u - a.u <= interval 60 days
        and a.u > getvariable('now') - interval 180 days""",
    "christmas_only": "select c from orders group by c having count(*) filter (month(t) in (11, 12)) = count(*)",
    "early_christmas_stock": """select c from bought where name like '%CHRISTMAS%' and month(t) in (8, 9)
                                and t > getvariable('now') - interval 6 months group by c having count(*) >= 3""",
    "sunday_buyers": "select c from orders group by c having count(*) >= 3 and count(*) filter (isodow(t) = 7) / count(*) >= 0.5",
    "before_ten": f"select c from orders where hour(t) < 10 and {ONE_YEAR} group by c having count(*) >= 3",
    "same_again": f"""select distinct c from (select c, sku, count(*) as n from bought where {ONE_YEAR} group by all) where n >= 6""",
    "wide_assortment": f"select c from bought where {ONE_YEAR} group by c having count(distinct sku) >= 100",
    "returners": "select c from cancelled where u > getvariable('now') - interval 180 days group by c having count(*) >= 3",
}


def members(moment: datetime) -> dict[str, set[str]]:
    """Who is in each segment at a moment in winter, when London has UTC. Days are counted in UTC (`u`), calendars in local time (`t`)."""
    database = duckdb.connect()
    database.execute(PREPARE)
    database.execute("set variable now = ?::timestamp", [moment])
    database.execute(AS_OF)
    return {name: {c for (c,) in database.execute(sql).fetchall()} for name, sql in SEGMENTS.items()}


def total_of_orders() -> tuple[int, int, int, object]:
    """Lines, orders, customers, revenue."""
    database = duckdb.connect()
    database.execute(PREPARE)
    lines = database.execute(
        "select count(*) from lines where Quantity > 0 and UnitPrice > 0 and CustomerID is not null"
    ).fetchone()
    orders = database.execute("select count(*), count(distinct c), sum(total) from all_orders").fetchone()
    assert lines and orders
    return (lines[0], *orders)


if __name__ == "__main__":
    now, before = members(NEWEST), members(NEWEST - timedelta(days=30))
    for name, people in now.items():
        print(f"{name:25} {len(people):6} {len(before[name]):6}")
    print(total_of_orders())
