"""The command line, in this process."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from ethogram.app.cli import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


ORDERS = """\
name = "shop"
timezone = "UTC"

[sources.orders]
files = "orders.csv"
customer = "customer"
time = "at"
message_id = "id"
event = { constant = "Order Completed" }
properties = { total = "total" }
"""
"""Settings of a shop whose orders are in one file: customer, at, id, total."""
