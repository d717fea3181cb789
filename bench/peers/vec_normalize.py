"""Writes test/golden/vec-normalize.json: what stable-baselines3's VecNormalize makes of a short fixed record.

pip install stable-baselines3==2.9.2 numpy==2.4.6 && python bench/peers/vec_normalize.py > test/golden/vec-normalize.json
"""

import json
import sys

import gymnasium as gym
import numpy as np
import stable_baselines3
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

N, O, T = 3, 2, 12
rng = np.random.default_rng(11)


def eighths(values):
    """Exact in float32, so that both sides start from the same numbers."""
    return np.round(values * 8) / 8


observations = eighths(rng.normal([2, -30], [1, 16], (T + 1, N, O)))
observations[5, 1] = [500, -4000]
finals = eighths(rng.normal([2, -30], [1, 16], (T + 1, N, O)))
rewards = eighths(rng.normal(0.25, 2, (T + 1, N)))
rewards[9, 2] = 400
terminations = np.zeros((T + 1, N), bool)
truncations = np.zeros((T + 1, N), bool)
terminations[4, 0] = truncations[7, 1] = terminations[7, 2] = truncations[12, 0] = True


class Record(VecEnv):
    """Plays the record; float64, as the statistics are."""

    metadata = {}

    def __init__(self):
        super().__init__(N, gym.spaces.Box(-np.inf, np.inf, (O,), np.float64), gym.spaces.Discrete(2))
        self.t = 0

    def reset(self):
        self.t = 0
        return observations[0].copy()

    def step_async(self, actions):
        self.t += 1

    def step_wait(self):
        dones = terminations[self.t] | truncations[self.t]
        infos = [{"terminal_observation": finals[self.t, i].copy()} if dones[i] else {} for i in range(N)]
        return observations[self.t].copy(), rewards[self.t].copy(), dones, infos

    def close(self):
        pass

    def get_attr(self, attr_name, indices=None):
        return [None] * N

    def set_attr(self, attr_name, value, indices=None):
        pass

    def env_method(self, method_name, *args, indices=None, **kwargs):
        return [None] * N

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * N


env = VecNormalize(Record(), clip_obs=3.0, clip_reward=2.0, gamma=0.9)
steps = [{"observations": observations[0].ravel().tolist(), "normalizedObservations": env.reset().ravel().tolist()}]
for t in range(1, T + 1):
    env.step_async(None)
    normalized, normalized_rewards, dones, infos = env.step_wait()
    normalized_finals = [infos[i]["terminal_observation"].tolist() if dones[i] else [0, 0] for i in range(N)]
    steps.append(
        {
            "observations": observations[t].ravel().tolist(),
            "finalObservations": finals[t].ravel().tolist(),
            "rewards": rewards[t].tolist(),
            "terminations": terminations[t].astype(int).tolist(),
            "truncations": truncations[t].astype(int).tolist(),
            "normalizedObservations": normalized.ravel().tolist(),
            "normalizedFinalObservations": np.ravel(normalized_finals).tolist(),
            "normalizedRewards": normalized_rewards.tolist(),
        }
    )
json.dump(
    {
        "source": f"VecNormalize of stable-baselines3 {stable_baselines3.__version__}, numpy {np.__version__}",
        "numEnvs": N,
        "observationSize": O,
        "gamma": 0.9,
        "clip_obs": 3,
        "clip_reward": 2,
        "epsilon": 1e-8,
        "steps": steps,
        "observationMean": env.obs_rms.mean.tolist(),
        "observationVariance": env.obs_rms.var.tolist(),
        "observationCount": float(env.obs_rms.count),
        "returnMean": float(env.ret_rms.mean),
        "returnVariance": float(env.ret_rms.var),
        "returnCount": float(env.ret_rms.count),
        "discountedReturns": env.returns.tolist(),
    },
    sys.stdout,
)
