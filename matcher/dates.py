"""Dates and durations as people write them."""

from __future__ import annotations

from dataclasses import dataclass

from matcher.domain import PartialDate


@dataclass(frozen=True, slots=True)
class DateMention:
    start: int
    end: int
    date: PartialDate


def find_dates(text: str, day_first: bool | None = None, default_year: int | None = None) -> list[DateMention]:
    """Every calendar date in the text, in order, as precise as written.

    `day_first` reads 03/04/2024 as 3 April; None lets the text decide (a part above 12), month first where it cannot.
    `default_year` completes dates without a year.
    """
    return []


def day_first(text: str) -> bool | None:
    """Whether numeric dates in this text put the day first; None where nothing tells."""
    return None
