"""The Ornstein-Uhlenbeck market in numpy, its optimum by value iteration, and what stable-baselines3's PPO reaches of
it: an independent second implementation of env/known, and the yardstick of `openbell prove ou`.

    python bench/peers/ou_market.py constant annealed

writes test/golden/ou-stable-baselines3.json; one of the two words alone renews that part of it. Needs numpy,
gymnasium, torch and stable-baselines3. Takes about 20 seconds a seed.
"""
import json
import pathlib
import sys

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

K, S, COST = 0.05, 0.01, 0.002
DEVIATION = S / np.sqrt(1 - (1 - K) ** 2)
EPISODE_STEPS = 250
SEEDS = [1, 2, 3, 4, 5]
STEPS = 200_000
PATHS, PATH_STEPS = 512, 1000


class OuMarket(VecEnv):
    """Eight markets in arrays; rewards x 100; truncated after 250 steps (TimeLimit.truncated, bootstrapped)."""

    def __init__(self, num_envs, seed):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
        super().__init__(num_envs, observation_space, gymnasium.spaces.Discrete(3))
        self.generator = np.random.default_rng(seed)

    def observe(self):
        return np.stack([self.x / DEVIATION, self.position], axis=1).astype(np.float32)

    def reset(self):
        self.x = self.generator.normal(0, DEVIATION, self.num_envs)
        self.position = np.zeros(self.num_envs)
        self.length = np.zeros(self.num_envs, int)
        return self.observe()

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        target = self.actions - 1.0
        x = (1 - K) * self.x + S * self.generator.normal(size=self.num_envs)
        rewards = 100 * (target * (x - self.x) - COST * np.abs(target - self.position))
        self.x, self.position = x, target
        self.length += 1
        dones = self.length >= EPISODE_STEPS
        infos = [{} for _ in range(self.num_envs)]
        last = self.observe()
        for i in np.flatnonzero(dones):
            infos[i] = {"TimeLimit.truncated": True, "terminal_observation": last[i]}
            self.x[i] = self.generator.normal(0, DEVIATION)
            self.position[i] = 0
            self.length[i] = 0
        return self.observe(), rewards.astype(np.float32), dones, infos

    def close(self):
        pass

    def get_attr(self, name, indices=None):
        return [getattr(self, name, None)] * self.num_envs

    def set_attr(self, name, value, indices=None):
        raise NotImplementedError

    def env_method(self, name, *args, indices=None, **kwargs):
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * self.num_envs


GRID = np.linspace(-5, 5, 401) * DEVIATION
TRANSITION = np.exp(-0.5 * ((GRID[None, :] - (1 - K) * GRID[:, None]) / S) ** 2)
TRANSITION /= TRANSITION.sum(axis=1, keepdims=True)
POSITIONS = np.array([-1, 0, 1])
# (held, action, grid)
REWARD = POSITIONS[None, :, None] * (-K * GRID)[None, None, :] - COST * np.abs(
    POSITIONS[None, :, None] - POSITIONS[:, None, None]
)


def value_iteration():
    values = np.zeros((3, 401))
    while True:
        q = REWARD + (values @ TRANSITION.T)[None]
        new = q.max(axis=1)
        gained = new - values
        if np.ptp(gained) < 1e-12:
            return gained.mean(), q.argmax(axis=1)
        values = new - new[1, 200]


def gain_of(policy):
    """Average reward of policy (3, 401) under its stationary distribution."""
    mass = np.zeros((3, 401))
    mass[1] = np.exp(-0.5 * (GRID / DEVIATION) ** 2)
    mass /= mass.sum()
    held, cell = np.meshgrid(np.arange(3), np.arange(401), indexing="ij")
    gain = 0
    for _ in range(5000):
        gain = (mass * REWARD[held, policy, cell]).sum()
        moved = np.stack([np.where(policy == a, mass, 0).sum(axis=0) for a in range(3)]) @ TRANSITION
        if np.abs(moved - mass).sum() < 1e-12:
            break
        mass = 0.5 * (mass + moved)
    return gain


def tabulate(model):
    observations = np.stack(
        [np.tile(GRID / DEVIATION, 3), np.repeat(POSITIONS, 401)], axis=1
    ).astype(np.float32)
    return model.predict(observations, deterministic=True)[0].reshape(3, 401)


def mean_on_paths(choose):
    """Mean reward a step on common paths; `choose` maps (x, position) to actions."""
    generator = np.random.default_rng(12345)
    x = generator.normal(0, DEVIATION, PATHS)
    position = np.zeros(PATHS)
    total = 0.0
    for _ in range(PATH_STEPS):
        target = choose(x, position) - 1.0
        new = (1 - K) * x + S * generator.normal(size=PATHS)
        total += (target * (new - x) - COST * np.abs(target - position)).sum()
        x, position = new, target
    return total / (PATHS * PATH_STEPS)


RATES = {"constant": 1e-3, "annealed": lambda remaining: 1e-3 * remaining}


def main():
    torch.set_num_threads(1)
    optimum, policy = value_iteration()
    nearest = lambda x: np.clip(np.rint((x - GRID[0]) / (GRID[1] - GRID[0])).astype(int), 0, 400)
    on_paths = mean_on_paths(lambda x, position: policy[(position + 1).astype(int), nearest(x)])
    file = pathlib.Path(__file__).parents[2] / "test" / "golden" / "ou-stable-baselines3.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    found |= {
        "source": f"stable-baselines3 {stable_baselines3.__version__}, torch {torch.__version__}, numpy {np.__version__}",
        "steps": STEPS,
        "optimum": optimum,
        "optimum_by_its_policy": gain_of(policy),
        "optimum_on_paths": on_paths,
    }
    for name in sys.argv[1:]:
        runs = []
        for seed in SEEDS:
            env = OuMarket(8, 1000 + seed)
            rate = RATES[name]
            model = PPO("MlpPolicy", env, n_steps=256, batch_size=256, learning_rate=rate, gamma=0.99, seed=seed, device="cpu")
            model.learn(STEPS)
            observe = lambda x, position: np.stack([x / DEVIATION, position], axis=1).astype(np.float32)
            earned = mean_on_paths(lambda x, position: model.predict(observe(x, position), deterministic=True)[0])
            runs.append(
                {"seed": seed, "share_on_paths": earned / on_paths, "share_on_grid": gain_of(tabulate(model)) / optimum}
            )
            print(name, runs[-1], file=sys.stderr)
        found[name] = {
            "runs": runs,
            "mean_share_on_paths": float(np.mean([run["share_on_paths"] for run in runs])),
            "mean_share_on_grid": float(np.mean([run["share_on_grid"] for run in runs])),
        }
        file.write_text(json.dumps(found, indent=2) + "\n")


main()
