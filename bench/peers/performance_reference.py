"""Golden values for src/stats, from libraries that know nothing of it.

pip install empyrical-reloaded==0.7.1 arch==8.0.0 numpy==2.4.6 pandas==3.1.1
python bench/peers/performance_reference.py > test/golden/performance.json
"""

import json

import empyrical
import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap, optimal_block_length

SERIES = {
    "daily": dict(bars_per_year=252, length=504, mean=0.0004, deviation=0.012, carry=0.0, seed=1),
    "minutes": dict(bars_per_year=252 * 390, length=780, mean=0.0, deviation=0.0006, carry=0.0, seed=2),
    "trending": dict(bars_per_year=252, length=400, mean=0.0002, deviation=0.01, carry=0.45, seed=3),
}


def returns_of(spec):
    rng = np.random.default_rng(spec["seed"])
    noise = rng.normal(spec["mean"], spec["deviation"], spec["length"])
    for t in range(1, len(noise)):
        noise[t] += spec["carry"] * noise[t - 1]
    return np.round(noise, 6)


def longest_drawdown(returns):
    """Bars from the peak's bar to the recovery's, or to the end; the start counts as a bar before the first."""
    wealth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    peaks = np.maximum.accumulate(wealth)
    at_peak = np.flatnonzero(wealth == peaks)
    ends = np.append(at_peak[1:], len(wealth) - 1)
    spans = ends - at_peak
    spans[spans == 1] = 0
    return int(spans.max())


def golden(spec):
    returns = returns_of(spec)
    series = pd.Series(returns)
    year = spec["bars_per_year"]
    bootstrap = StationaryBootstrap(15, returns, seed=np.random.default_rng(9))
    interval = bootstrap.conf_int(
        lambda x: np.array([x.mean() / x.std(ddof=1) * np.sqrt(year)]), 20_000, method="percentile", size=0.95
    )
    return dict(
        barsPerYear=year,
        returns=[float(value) for value in returns],
        cagr=float(empyrical.annual_return(series, annualization=year)),
        volatility=float(empyrical.annual_volatility(series, annualization=year)),
        sharpe=float(empyrical.sharpe_ratio(series, annualization=year)),
        sortino=float(empyrical.sortino_ratio(series, annualization=year)),
        totalReturn=float(empyrical.cum_returns_final(series)),
        maxDrawdown=float(empyrical.max_drawdown(series)),
        longestDrawdownBars=longest_drawdown(returns),
        optimalBlock=float(optimal_block_length(returns)["stationary"].iloc[0]),
        sharpeIntervalAtBlock15=[float(interval[0, 0]), float(interval[1, 0])],
    )


print(json.dumps({name: golden(spec) for name, spec in SERIES.items()}, indent=1))
