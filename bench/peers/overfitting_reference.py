"""Golden values for PSR, DSR, the least track record and PBO, written from the published formulas with numpy and scipy.

pip install -r bench/peers/requirements-stats.txt
python bench/peers/overfitting_reference.py > test/golden/overfitting.json
"""

import itertools
import json
from pathlib import Path

import numpy as np
import scipy.stats

ROOT = Path(__file__).resolve().parents[2]
NORMAL = scipy.stats.norm
EULER = np.euler_gamma


def psr(sharpe, bars, skewness, kurtosis, benchmark=0.0):
    spread = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return float(NORMAL.cdf((sharpe - benchmark) * np.sqrt(bars - 1) / np.sqrt(spread)))


def expected_maximum(trials, deviation):
    return float(deviation * ((1 - EULER) * NORMAL.ppf(1 - 1 / trials) + EULER * NORMAL.ppf(1 - 1 / (trials * np.e))))


def track_record(sharpe, skewness, kurtosis, benchmark, confidence):
    spread = 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return float(1 + spread * (NORMAL.ppf(confidence) / (sharpe - benchmark)) ** 2)


def record(returns):
    return dict(
        sharpe=float(returns.mean() / returns.std(ddof=1)),
        bars=len(returns),
        skewness=float(scipy.stats.skew(returns)),
        kurtosis=float(scipy.stats.kurtosis(returns, fisher=False)),
    )


def series_case(returns, year):
    own = record(np.array(returns))
    benchmark = 0.5 / np.sqrt(year)
    return dict(
        record=own,
        psr=psr(**own),
        psrOverHalf=psr(**own, benchmark=benchmark),
        minimumTrackRecord=track_record(own["sharpe"], own["skewness"], own["kurtosis"], 0.0, 0.95)
        if own["sharpe"] > 0
        else None,
        deflated=psr(**own, benchmark=expected_maximum(40, 0.3 / np.sqrt(year))),
    )


def sharpe_of(matrix):
    return matrix.mean(axis=0) / matrix.std(axis=0, ddof=1)


def cscv(matrix, chunks):
    """Bailey, Borwein, Lopez de Prado and Zhu (2017), section 3, brute force. matrix: (T, N)"""
    size = len(matrix) // chunks
    matrix = matrix[len(matrix) - size * chunks :]
    blocks = np.split(matrix, chunks)
    logits, losses, inside, outside = [], [], [], []
    for taken in itertools.combinations(range(chunks), chunks // 2):
        left = np.concatenate([blocks[i] for i in taken])
        right = np.concatenate([blocks[i] for i in range(chunks) if i not in taken])
        chosen, test = sharpe_of(left), sharpe_of(right)
        best = int(np.argmax(chosen))
        share = scipy.stats.rankdata(test)[best] / (matrix.shape[1] + 1)
        logits.append(float(np.log(share / (1 - share))))
        losses.append(bool(test[best] < 0))
        inside.append(chosen[best])
        outside.append(test[best])
    return dict(
        chunks=chunks,
        pbo=float(np.mean(np.array(logits) <= 0)),
        probabilityOfLoss=float(np.mean(losses)),
        degradation=float(np.polyfit(inside, outside, 1)[0]),
        meanLogit=float(np.mean(logits)),
        firstLogits=logits[:5],
    )


def matrix_case(name, matrix, chunks):
    matrix = np.round(matrix, 6)
    return dict(name=name, returns=[[float(v) for v in column] for column in matrix.T], **cscv(matrix, chunks))


rng = np.random.default_rng(21)
noise = rng.normal(0, 0.01, (203, 8))
skilled = rng.normal(0, 0.01, (160, 6))
skilled[:, 2] += 0.006
short = rng.normal(0, 0.01, (120, 5))
performance = json.loads((ROOT / "test/golden/performance.json").read_text())
xs = [-39.0, -12.5, -8.0, -5.0, -3.0, -2.999, -1.6448536269514722, -1.0, -0.3, 0.0, 1e-9, 0.5, 1.0, 1.96, 3.0, 4.5, 7.0]
print(
    json.dumps(
        dict(
            normalCdf=[[x, float(NORMAL.cdf(x))] for x in xs],
            expectedMaximum=[[n, expected_maximum(n, 1.0)] for n in (2, 10, 46, 88, 100, 1000, 123456)],
            series={name: series_case(case["returns"], case["barsPerYear"]) for name, case in performance.items()},
            matrices=[matrix_case("noise", noise, 8), matrix_case("skilled", skilled, 10), matrix_case("short", short, 6)],
        ),
        indent=1,
    )
)
