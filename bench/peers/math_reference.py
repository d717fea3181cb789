"""Writes test/golden/math.json: correctly rounded values of the functions of env/math, from 60-digit arithmetic."""

import json
import pathlib
import random

import mpmath

mpmath.mp.dps = 60
OUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "math.json"
generator = random.Random(1)


def spread(count, low, high):
    """Magnitudes from 10**low to 10**high."""
    return [10 ** generator.uniform(low, high) for _ in range(count)]


def both_signs(values):
    return [x if generator.random() < 0.5 else -x for x in values]


def quantile(p):
    """Root of Phi(z) = p by Newton's method; the upper tail through its mirror, to lose no digits."""
    p = mpmath.mpf(p)
    if p > 0.5:
        return -quantile(1 - p)
    z = -mpmath.sqrt(-2 * mpmath.log(p)) if p < 0.1 else mpmath.mpf(0)
    for _ in range(200):
        step = (mpmath.erfc(-z / mpmath.sqrt(2)) / 2 - p) / mpmath.npdf(z)
        z -= step
        if abs(step) < mpmath.mpf(10) ** -45:
            break
    return z


uniform = [generator.random() for _ in range(30)]
arguments = {
    "log": [[x] for x in spread(40, -300, 300) + [1 + (u - 0.5) / 10 for u in uniform] + [5e-324]],
    "log1p": [[x] for x in both_signs(spread(40, -20, -0.01)) + spread(20, 0, 100)],
    "exp": [[x] for x in both_signs(spread(40, -10, 2.8)) + [700.5, -745.0, -708.5]],
    "pow": [[1 + u, 50 * (v - 0.5)] for u, v in zip(uniform, reversed(uniform))] + [[0.999, k] for k in range(1, 2000, 97)] + [[0.9, 1000], [2, -1074], [-3, 5]],
    "tanh": [[x] for x in both_signs(spread(60, -8, 1.5))],
    "sin": [[x] for x in both_signs(spread(40, -8, 1) + spread(20, 1, 15))],
    "cos": [[x] for x in both_signs(spread(40, -8, 1) + spread(20, 1, 15))],
    "normalQuantile": [[p] for p in uniform + spread(20, -15, -0.4) + spread(10, -300, -15) + [1 - p for p in spread(10, -9, -1)]],
}
exact = {
    "log": mpmath.log, "log1p": mpmath.log1p, "exp": mpmath.exp, "pow": mpmath.power, "tanh": mpmath.tanh,
    "sin": mpmath.sin, "cos": mpmath.cos, "normalQuantile": quantile,
}  # fmt: skip

mpmath.mp.dps = 400  # log1p of 1e-20, tanh near 1 and large arguments of sin
document = {
    name: [[*xs, float(exact[name](*map(mpmath.mpf, xs)))] for xs in rows] for name, rows in arguments.items() if name != "normalQuantile"
}
mpmath.mp.dps = 60
document["normalQuantile"] = [[p, float(quantile(p))] for [p] in arguments["normalQuantile"]]
OUT.write_text(json.dumps(document, separators=(",", ":")).replace('],"', '],\n"') + "\n")
