"""Golden values for risk, benchmark and shape figures, from empyrical, quantstats, scipy and arch.

pip install -r bench/peers/requirements-stats.txt
python bench/peers/risk_reference.py > test/golden/risk.json

The series are those of test/golden/performance.json. Where two libraries differ both figures are kept: docs/statistics.md
shows them beside ours.
"""

import json
import warnings
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import quantstats
import scipy.stats
from arch.bootstrap import CircularBlockBootstrap, optimal_block_length

ROOT = Path(__file__).resolve().parents[2]
warnings.simplefilter("ignore")


def expected_shortfall(returns, level):
    """Acerbi and Tasche (2002), eq. 4.12, by brute force: the T a worst, the last by its fraction."""
    ordered = np.sort(returns)
    weight = (1 - level) * len(ordered)
    weights = np.clip(weight - np.arange(len(ordered)), 0, 1)
    return float((weights * ordered).sum() / weights.sum())


def ulcer(returns):
    wealth = np.concatenate([[1.0], np.cumprod(1 + returns)])
    drawdowns = (wealth / np.maximum.accumulate(wealth) - 1)[1:]
    return float(np.sqrt(np.mean(drawdowns**2)))


def golden(case, seed):
    returns = np.array(case["returns"])
    year = case["barsPerYear"]
    rng = np.random.default_rng(seed)
    benchmark = np.round(0.6 * returns + rng.normal(0.02 * returns.std(), 0.5 * returns.std(), len(returns)), 7)
    days = pd.bdate_range("2015-01-05", periods=len(returns))
    series, other = pd.Series(returns, days), pd.Series(benchmark, days)
    regression = scipy.stats.linregress(benchmark, returns)
    active = returns - benchmark
    circular = CircularBlockBootstrap(15, returns, seed=np.random.default_rng(9))
    interval = circular.conf_int(
        lambda x: np.array([x.mean() / x.std(ddof=1) * np.sqrt(year)]), 20_000, method="percentile", size=0.95
    )
    return dict(
        benchmark=[float(value) for value in benchmark],
        valueAtRisk=float(empyrical.value_at_risk(series)),
        valueAtRisk99=float(empyrical.value_at_risk(series, 0.01)),
        conditionalValueAtRisk=expected_shortfall(returns, 0.95),
        conditionalValueAtRisk99=expected_shortfall(returns, 0.99),
        ulcerIndex=ulcer(returns),
        omega=float(empyrical.omega_ratio(series)),
        omegaAt10bps=float(empyrical.omega_ratio(series, required_return=0.001, annualization=1)),
        calmar=float(empyrical.calmar_ratio(series, annualization=year)),
        skewness=float(scipy.stats.skew(returns)),
        kurtosis=float(scipy.stats.kurtosis(returns, fisher=False)),
        beta=float(regression.slope),
        alpha=float(regression.intercept) * year,
        correlation=float(regression.rvalue),
        trackingError=float(active.std(ddof=1) * np.sqrt(year)),
        informationRatio=float(active.mean() / active.std(ddof=1) * np.sqrt(year)),
        optimalCircularBlock=float(optimal_block_length(returns)["circular"].iloc[0]),
        circularSharpeIntervalAtBlock15=[float(interval[0, 0]), float(interval[1, 0])],
        libraries={
            "empyrical": {
                "conditionalValueAtRisk": float(empyrical.conditional_value_at_risk(series)),
                "alpha": float(empyrical.alpha(series, other, annualization=year)),
                "beta": float(empyrical.beta(series, other)),
                "informationRatio": float(empyrical.excess_sharpe(series, other)),
            },
            "quantstats": {
                "valueAtRisk": float(quantstats.stats.value_at_risk(series)),
                "conditionalValueAtRisk": float(quantstats.stats.conditional_value_at_risk(series)),
                "ulcerIndex": float(quantstats.stats.ulcer_index(series)),
                "calmar": float(quantstats.stats.calmar(series, periods=year)),
                "omega": float(quantstats.stats.omega(series, periods=year)),
                "alpha": float(quantstats.stats.greeks(series, other, periods=year)["alpha"]),
                "beta": float(quantstats.stats.greeks(series, other, periods=year)["beta"]),
                "informationRatio": float(quantstats.stats.information_ratio(series, other)),
                "kurtosis": float(quantstats.stats.kurtosis(series)),
                "skewness": float(quantstats.stats.skew(series)),
                "probabilisticSharpe": float(quantstats.stats.probabilistic_sharpe_ratio(series)),
            },
        },
    )


performance = json.loads((ROOT / "test/golden/performance.json").read_text())
print(json.dumps({name: golden(case, 40 + i) for i, (name, case) in enumerate(performance.items())}, indent=1))
