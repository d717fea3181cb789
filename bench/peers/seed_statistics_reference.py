"""Golden values for the statistics over seeds, from rliable and scipy.

pip install -r bench/peers/requirements-stats.txt
python bench/peers/seed_statistics_reference.py > test/golden/seed-statistics.json

rliable draws from numpy's global generator: seeding it makes the file the same each time.
"""

import json

import numpy as np
import scipy.stats
from rliable import library, metrics

RESAMPLES = 50_000
THRESHOLDS = [-1.0, -0.25, 0.0, 0.4, 0.5, 0.75, 1.0, 2.0]

rng = np.random.default_rng(11)
CASES = {
    "ten-seeds-four-tasks": (rng.normal(0.6, 0.3, (10, 4)), rng.normal(0.5, 0.3, (10, 4))),
    "five-seeds-one-task": (rng.normal(0.2, 1.0, (5, 1)), rng.normal(0.0, 1.0, (7, 1))),
    "ties": (rng.integers(0, 4, (8, 3)) / 2.0, rng.integers(0, 4, (6, 3)) / 2.0),
    "heavy-tails": (rng.standard_t(2, (12, 2)), rng.standard_t(2, (12, 2)) + 0.5),
    "one-run": (np.array([[0.25, 0.5]]), np.array([[0.75, 0.5]])),
    "outlier": (np.array([[0.1], [0.2], [0.3], [0.4], [90.0]]), np.array([[0.2], [0.2], [0.25], [0.1], [0.0]])),
}


def by_task(scores):
    return [[float(value) for value in column] for column in scores.T]


def aggregates(scores):
    return dict(
        mean=float(metrics.aggregate_mean(scores)),
        median=float(metrics.aggregate_median(scores)),
        iqm=float(metrics.aggregate_iqm(scores)),
        optimalityGap=float(metrics.aggregate_optimality_gap(scores)),
        optimalityGapAtHalf=float(metrics.aggregate_optimality_gap(scores, 0.5)),
        pooledMedian=float(np.median(scores)),
        trimMean=float(scipy.stats.trim_mean(scores, 0.25, axis=None)),
        profile=[float(library.run_score_deviation(scores, tau)) for tau in THRESHOLDS],
    )


def intervals(x, y):
    np.random.seed(5)
    _, bounds = library.get_interval_estimates(
        {"x": x},
        lambda s: np.array([metrics.aggregate_mean(s), metrics.aggregate_median(s), metrics.aggregate_iqm(s), metrics.aggregate_optimality_gap(s)]),
        reps=RESAMPLES,
    )
    names = ["mean", "median", "iqm", "optimalityGap"]
    found = {name: [float(bounds["x"][0, i]), float(bounds["x"][1, i])] for i, name in enumerate(names)}
    _, pairs = library.get_interval_estimates({"xy": (x, y)}, lambda a, b: np.array([metrics.probability_of_improvement(a, b)]), reps=5_000)
    found["improvement"] = [float(pairs["xy"][0, 0]), float(pairs["xy"][1, 0])]
    return found


def golden(name, x, y):
    result = dict(x=by_task(x), y=by_task(y), aggregates=aggregates(x), improvement=float(metrics.probability_of_improvement(x, y)))
    if x.shape[0] > 1 and name in ("ten-seeds-four-tasks", "five-seeds-one-task", "heavy-tails"):
        result["intervals"] = intervals(x, y)
    return result


print(json.dumps(dict(thresholds=THRESHOLDS, cases={name: golden(name, x, y) for name, (x, y) in CASES.items()}), indent=1))
