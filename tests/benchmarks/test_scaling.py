"""What a country needs, by rates whose answer is known; the measurement itself is `make bench-scaling`."""

import pytest

from benchmarks.scaling.country import Rates, cores_at_driver, simulated

RATES = Rates((10.0,), rows_per_chunk=5000, driver_rows=50_000.0, series_seconds=0.05, worker_mib=512, output_bytes=150)


def test_one_core_takes_as_long_as_all_chunks_together():
    need = simulated(RATES, 1, rows=500_000)
    assert need.hours == pytest.approx((100 * 10 + 10 * need.lost / 2 + 0.1) / 3600, rel=1e-3)
    assert need.series_minutes == pytest.approx(84 * 60 * 16 * 0.05 / 60, rel=0.01)
    assert need.memory_gib == 0.5


def test_cores_help_until_the_driver_is_the_limit():
    assert cores_at_driver(RATES) == 100
    assert simulated(RATES, 50, rows=5_000_000).efficiency > 0.95
    many = simulated(RATES, 400, rows=5_000_000)
    assert many.hours == pytest.approx((5_000_000 / 50_000 + 10) / 3600, rel=0.05)
    assert many.efficiency < 0.3
