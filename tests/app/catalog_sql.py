"""Entries of the catalog once more, in plain SQL over the demo's invoices: nothing here knows the definition language."""

from __future__ import annotations

from datetime import datetime

import demo_sql
import duckdb

Rows = list[tuple[object, ...]]

ORDER_GAPS = """
with moments as (select distinct c, u from orders),
     gaps as (select c, u, u - lag(u) over (partition by c order by u) as gap, row_number() over (partition by c order by u) as n from moments)
"""

FIFTHS = """
with scored as (
    select c, 6 - (1 + floor(5 * (rank() over (order by getvariable('now') - last) - 1) / count(*) over ()))::int as r,
           (1 + floor(5 * (rank() over (order by n) - 1) / count(*) over ()))::int as f
    from life)
select case when r = 5 and f in (4, 5) then 'champions'
            when r in (3, 4) and f in (4, 5) then 'loyal'
            when r in (4, 5) and f in (2, 3) then 'potential_loyalists'
            when r = 5 and f = 1 then 'new'
            when r = 4 and f = 1 then 'promising'
            when r = 3 and f = 3 then 'need_attention'
            when r = 3 and f in (1, 2) then 'about_to_sleep'
            when r in (1, 2) and f = 5 then 'valuable_and_slipping'
            when r in (1, 2) and f in (3, 4) then 'at_risk'
            when r in (1, 2) and f in (1, 2) then 'dormant' end as segment, count(*)
from scored group by segment
"""

CELLS = """
with scored as (
    select c, case when getvariable('now') - last < interval 180 days then 3 when getvariable('now') - last < interval 365 days then 2 else 1 end as r,
           (1 + floor(3 * (rank() over (order by n) - 1) / count(*) over ()))::int as f,
           (1 + floor(3 * (rank() over (order by spend) - 1) / count(*) over ()))::int as m
    from life),
cells(segment, cell) as (
    select 'champions', unnest([333, 332, 323]) union all
    select 'loyal', unnest([321, 322, 331, 232, 233]) union all
    select 'recent', unnest([312, 313, 311, 222, 223]) union all
    select 'needs_attention', unnest([213, 221, 123, 132, 133]) union all
    select 'at_risk', unnest([231, 212, 122, 131, 211]) union all
    select 'inactive', unnest([111, 112, 113, 121]))
select segment, count(*) from scored join cells on cell = 100 * r + 10 * f + m group by segment
"""

LAPSING = """
with usual as (select c, median(epoch_us(gap)) as usual from gaps where gap is not null group by c),
     state as (
        select c, case when n >= 3 then epoch_us(getvariable('now') - last) > 2 * usual and getvariable('now') - last >= to_days(getvariable('late_days')::int)
                       else getvariable('now') - last >= to_days(getvariable('stopped_days')::int) end as lapsed,
                  case when n >= 3 then epoch_us(getvariable('now') - last) > 1.5 * usual and getvariable('now') - last >= to_days(getvariable('at_least')::int)
                       else getvariable('now') - last >= to_days(getvariable('late_days')::int) end as late
        from life left join usual using (c))
select count(*) filter (lapsed), count(*) filter (late and not lapsed) from state
"""

TIERS = """
with spent as (
    select c, coalesce(sum(total) filter (u > getvariable('now') - interval 365 days), 0) as spend,
           coalesce(sum(total) filter (u > getvariable('now') - interval 395 days and u <= getvariable('now') - interval 30 days), 0) as before,
           coalesce(sum(total) filter (u > getvariable('now') - interval 335 days), 0) as kept
    from orders group by c)
select case when greatest(spend, before) >= getvariable('platinum') then 'platinum'
            when greatest(spend, before) >= getvariable('gold') then 'gold'
            when greatest(spend, before) >= getvariable('silver') then 'silver' else 'base' end as tier, count(*),
       count(*) filter (spend >= getvariable('platinum') and kept < getvariable('platinum')
                        or spend < getvariable('platinum') and spend >= getvariable('gold') and kept < getvariable('gold')
                        or spend < getvariable('gold') and spend >= getvariable('silver') and kept < getvariable('silver')) as at_risk
from spent group by tier
"""

RETURNS = """
with bought as (select c, count(*) as n, sum(total) as total from orders where t > getvariable('now') - interval 1 year group by c),
     back as (select CustomerID as c, InvoiceNo, min(InvoiceDate) as t, -sum(Quantity * UnitPrice) as total from lines
              where InvoiceNo like 'C%' and CustomerID is not null group by all)
select count(*) from bought where n >= 3
and (select coalesce(sum(b.total), 0) from back b where b.c = bought.c and b.t > getvariable('now') - interval 1 year) / total >= 0.4
"""


REPURCHASE = """
select case when getvariable('now') - last < to_days(getvariable('half')::int) then 'active'
            when getvariable('now') - last < to_days(getvariable('most')::int) then 'cooling'
            when getvariable('now') - last < to_days(getvariable('nearly_all')::int) then 'at_risk' else 'inactive' end as stage, count(*)
from life group by stage
"""

RHYTHM = """
with usual as (select c, median(epoch_us(gap)) / 86400e6 as usual from gaps where gap is not null group by c)
select case when getvariable('now') - last >= to_days(getvariable('stopped')::int) then 'inactive'
            when round(usual, 6) < getvariable('intensive_gap') then 'intensive' when round(usual, 6) <= getvariable('regular_gap') then 'regular'
            when n >= 2 then 'occasional' else 'once' end as rhythm, count(*)
from life left join usual using (c) group by rhythm
"""

ROUTINE = """
with even as (select c, stddev_pop(epoch_us(gap)) / avg(epoch_us(gap)) as variation, count(*) as gaps from gaps where gap is not null group by c)
select count(*) from even where gaps >= 3 and round(variation, 6) <= 0.35
"""

TWO_MONTHS = """
with lately as (
    select c, (getvariable('now') - max(u)) as since, count(*) filter (u > getvariable('now') - interval 60 days) as n,
           coalesce(sum(total) filter (u > getvariable('now') - interval 60 days), 0) as spend
    from orders group by c),
scored as (
    select c, case when since < interval 20 days then 3 when since < interval 40 days then 2 when since < interval 60 days then 1 else 0 end as r,
           least(n, 3) as f, case when spend >= getvariable('high_money') then 3 when spend >= getvariable('low_money') then 2 when spend > 0 then 1 else 0 end as m
    from lately)
select case when r = 3 and f between 2 and 3 and m between 2 and 3 then 'champions'
            when r between 2 and 3 and f between 2 and 3 and m between 1 and 3 then 'loyal'
            when r = 3 and f between 1 and 3 and m between 1 and 3 then 'potential_loyalists'
            when r = 3 and m between 1 and 3 then 'promising' when r = 3 then 'new' when r between 2 and 3 then 'need_attention'
            when f between 2 and 3 and m between 2 and 3 then 'slipping' when f between 1 and 3 and m between 1 and 3 then 'at_risk'
            when r = 1 then 'about_to_sleep' else 'dormant' end as segment, count(*)
from scored group by segment
"""

VIP = f"""
with buyers as (
    select c, n, last, spend / n as average, coalesce((select sum(total) from orders o where o.c = life.c and {demo_sql.ONE_YEAR}), 0) as year
    from life),
compared as (select *, average > (select avg(average) from buyers) as dear, rank() over (order by year desc) - 1 as richer from buyers)
select count(*) from compared
where n >= 3 and last > getvariable('now') - interval 4 months and dear or richer * 10 < (select count(*) from buyers)
"""


class Shop:
    """The demo's orders as of a moment in winter."""

    def __init__(self, moment: datetime) -> None:
        self.database = duckdb.connect()
        self.database.execute(demo_sql.PREPARE)
        self.database.execute("set variable now = ?::timestamp", [moment])
        self.database.execute(demo_sql.AS_OF)

    def rows(self, sql: str, **variables: float) -> Rows:
        for name, value in variables.items():
            self.database.execute(f"set variable {name} = {value}")
        return self.database.execute(sql).fetchall()

    def groups(self, sql: str, **variables: float) -> dict[str, int]:
        return {str(row[0]): int(str(row[1])) for row in self.rows(sql, **variables)}

    def one(self, sql: str, **variables: float) -> float:
        return float(str(self.rows(sql, **variables)[0][0]))

    def gap(self, share: float, *, first_only: bool = False) -> int:
        """Days at a quantile of the gaps between orders, or between the first two."""
        which = "n = 2" if first_only else "gap is not null"
        sql = f"{ORDER_GAPS} select quantile_cont(epoch_us(gap), {share}) / 86400e6 from gaps where {which}"
        return round(self.one(sql))

    def spend(self, share: float) -> int:
        """The spend within a year at a quantile of those who bought in it."""
        sql = f"select quantile_cont(x, {share}) from (select sum(total)::double as x from orders where {demo_sql.ONE_YEAR} group by c)"
        return round(self.one(sql))
