"""Tables and targets of the forecast benchmark.

In: the figures that `benchmark.py` has measured, set by set. Out: Markdown, and the list of targets.
"""

from typing import Any

from benchmarks.forecast_quality.rivals import POINT_RIVALS
from benchmarks.forecast_quality.sets import LEAST_DAILY, SETS
from benchmarks.results import Target, markdown_table

BEST_RIVALS = (*POINT_RIVALS, "auto_ets", "prophet_default")
"""Those whose pinball loss the champion is to undercut, the best of them on each set."""
COVERED, SLACK, SHARE_OF_TIME = 0.8, 0.02, 1 / 3
"""What an 80 % interval should hold, how far off it may be, and the share of default Prophet's time."""


def targets(measured: dict[str, dict[str, Any]]) -> list[Target]:
    """What the champion should reach, set by set."""
    goals = []
    for name, of_set in measured.items():
        figures = of_set["figures"]
        ours, prophet = figures["champion"], figures["prophet_default"]
        rival = min(BEST_RIVALS, key=lambda one: figures[one]["pinball"])
        times_better = figures[rival]["pinball"] / ours["pinball"]
        goals += [
            Target.at_most(f"{name}: WAPE of the champion", ours["wape"], SETS[name].wape),
            Target.above(f"{name}: pinball loss of {rival} over the champion's", times_better, 1),
            Target.at_most(f"{name}: 80 % intervals off 80 %", abs(ours["coverage_80"] - COVERED), SLACK),
            Target.at_most(f"{name}: 80 % width over default Prophet's", ours["width_80"] / prophet["width_80"], 1),
            Target.at_most(
                f"{name}: seconds over default Prophet's",
                ours["seconds_per_series"] / prophet["seconds_per_series"],
                SHARE_OF_TIME,
            ),
            Target.at_most(
                f"{name}: q50's error below {LEAST_DAILY:g} a day over the plain median's",
                of_set["sparse"]["mae_q50"] / of_set["sparse"]["mae_plain_median"],
                1,
            ),
        ]
    return goals


def markdown(measured: dict[str, dict[str, Any]]) -> str:
    """One table a set, and one of the sparse series of all."""
    parts = []
    for name, of_set in measured.items():
        both = ", ".join(
            f"{one} {of_set['figures'][one]['wape']:.3f} ({wape:.3f})" for one, wape in of_set["known_wape"].items()
        )
        parts.append(
            f"{name}: {of_set['series']} series, {of_set['windows']} windows, {' to '.join(of_set['days'])}; "
            f"WAPE here (and when the targets were set): {both}\n"
        )
        header = ["", "WAPE", "of mean", "pooled", "MASE", "pinball", "50 %", "80 %", "95 %", "width 80 %", "s/series"]
        rows = [[one, *_cells(figures)] for one, figures in of_set["figures"].items()]
        parts.append(markdown_table(header, rows))
    parts.append(f"\nmean absolute errors over the series below {LEAST_DAILY:g} a day\n")
    sparse = [[name, *_sparse_cells(of_set["sparse"])] for name, of_set in measured.items()]
    parts.append(markdown_table(["", "series", "days", "q50", "plain median"], sparse))
    return "\n".join(parts)


def _cells(figures: dict[str, Any]) -> list[str]:
    points = [f"{figures[key]:.3f}" for key in ("wape", "wape_of_mean", "wape_pooled", "mase", "pinball")]
    covered = [f"{figures[f'coverage_{level}']:.1%}" for level in (50, 80, 95)]
    seconds = figures["seconds_per_series"]
    return [*points, *covered, f"{figures['width_80']:.2f}", "" if seconds is None else f"{seconds:.4f}"]


def _sparse_cells(figures: dict[str, Any]) -> list[str]:
    errors = [f"{figures[key]:.4f}" for key in ("mae_q50", "mae_plain_median")]
    return [str(figures["series"]), str(figures["days"]), *errors]
