"""What the tests of reliability count, over all of them; printed as one table when the last has ended."""

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Counts:
    """Of how many things how many were wrong; each test adds its own."""

    accepted: int = 0
    lost: int = 0
    job_rows: int = 0
    job_rows_wrong: int = 0
    answers: int = 0
    wrong_answers: int = 0
    requests: int = 0
    internal_errors: int = 0
    looked_at: int = 0
    personal_data: int = 0
    crossings: int = 0
    across_regions: int = 0
    restarts: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, int]:
        """All that has to be 0, by what it counts."""
        return {
            "accepted requests lost or stored twice": self.lost,
            "jobs' rows lost or doubled": self.job_rows_wrong,
            "wrong answers": self.wrong_answers,
            "unhandled 500s": self.internal_errors,
            "personal data found by the scanner": self.personal_data,
            "answers across regions": self.across_regions,
        }

    def lines(self) -> list[str]:
        """The table."""
        of = (
            f"{self.accepted:,} requests",
            f"{self.job_rows:,} rows",
            f"{self.answers:,} answers",
            f"{self.requests:,} requests",
            f"{self.looked_at:,} characters and bytes",
            f"{self.crossings:,} requests",
        )
        table = [
            f"{name:42}{wrong:>8}  of {total}" for (name, wrong), total in zip(self.wrong.items(), of, strict=True)
        ]
        if self.restarts:
            times = f"{median(self.restarts):.1f} s in the median, {max(self.restarts):.1f} s at worst"
            table.append(f"ready again after kill -9: {times}, {len(self.restarts)} times")
        return [*table, *self.notes]


COUNTS = Counts()
