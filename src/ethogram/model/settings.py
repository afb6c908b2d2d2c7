from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project says about its world.

    `timezone` is an IANA name; `week_starts` is 0 for Monday to 6 for Sunday; `currency` an ISO 4217 code; `country` an
    ISO 3166 code (with optional subdivision, "GB-SCT") whose public holidays `holiday=` means.
    """

    name: str = "project"
    timezone: str = "UTC"
    week_starts: int = 0
    currency: str = ""
    country: str = ""
