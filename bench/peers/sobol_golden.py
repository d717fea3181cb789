"""Unscrambled Sobol' points of scipy, as numerators over their count: test/golden/sobol.json.

    python bench/peers/sobol_golden.py > test/golden/sobol.json
"""

import json

import scipy
from scipy.stats import qmc

COUNT, DIMENSIONS = 64, 21
points = qmc.Sobol(DIMENSIONS, scramble=False, bits=32).random(COUNT)
rows = [[int(x * COUNT) for x in row] for row in points]
assert all(n / COUNT == x for row, own in zip(rows, points) for n, x in zip(row, own))
print(json.dumps({"made_by": f"scipy {scipy.__version__} qmc.Sobol", "numerators": rows}))
