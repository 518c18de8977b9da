"""A made-up file of invoice lines for a measurement, the same for the same seed.

Its shape: some hundred participants, each line one of some dozen products, small quantities, two hundred lines an hour in
working hours, within two weeks, so that most campaigns reach their target. It says nothing about real demand; a real file
gives the figure that counts, and is given by its path.
"""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.replay.reading import COLUMNS

SEED = 20_101_201
LINES = 2_000
LINES_PER_HOUR = 200
HOURS_PER_DAY = 5
DAYS_APART = 5
OPENING_HOUR = 9
PRODUCTS = 60
PARTICIPANTS = 250
FIRST_DAY = datetime(2010, 12, 1, OPENING_HOUR, tzinfo=UTC)


def write_demand(path: Path, *, lines: int = LINES) -> None:
    """Write the file: the replay's columns, no dirty line, no withdrawal."""
    draw = random.Random(SEED)  # noqa: S311 - made-up demand, the same each time
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(lines):
            hour, place = divmod(number, LINES_PER_HOUR)
            day, hour_of_day = divmod(hour, HOURS_PER_DAY)
            at = FIRST_DAY + timedelta(
                days=day * DAYS_APART, hours=hour_of_day, seconds=place * 3_600 // LINES_PER_HOUR
            )
            product = draw.randrange(PRODUCTS)
            cents = 100 + 37 * product
            rows.writerow(
                [
                    500_000 + number // 5,
                    f"{20_000 + product}",
                    f"Workshop piece {product + 1}",
                    draw.choice((1, 1, 2, 2, 3, 4, 6, 12)),
                    f"{at:%Y-%m-%d %H:%M:%S}",
                    f"{cents // 100}.{cents % 100:02d}",
                    12_000 + draw.randrange(PARTICIPANTS),
                    "United Kingdom",
                ]
            )
