"""The environment on which OpenBell and its peers are measured, the peers' side. tape-env.ts defines it, and says how.

Twice: as one Gymnasium environment, for DummyVecEnv; and all environments at once in numpy, which is the faster of
the two where there are many. Both do as little in Python as the definition allows.
"""

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

FEATURES = 12
OBSERVED = 14
EPISODE = 256
COST = 0.0005
BARS = 4096

OBSERVATION_SPACE = gymnasium.spaces.Box(-np.inf, np.inf, (OBSERVED,), np.float32)
ACTION_SPACE = gymnasium.spaces.Discrete(3)


class Tape:
    def __init__(self, file):
        data = np.fromfile(file, dtype=np.uint8)
        self.change = data[: 8 * BARS].view("<f8")
        self.log_price = data[8 * BARS : 16 * BARS].view("<f8")
        # a row is a whole observation, whose last two numbers the account fills in
        self.rows = np.zeros((BARS, OBSERVED), np.float32)
        self.rows[:, :FEATURES] = data[16 * BARS :].view("<f4").reshape(BARS, FEATURES)
        # lists of Python's own numbers: reading one element of an array costs several times as much
        self.changes = self.change.tolist()
        self.log_prices = self.log_price.tolist()


class TapeEnv(gymnasium.Env):
    observation_space = OBSERVATION_SPACE
    action_space = ACTION_SPACE

    def __init__(self, tape):
        self.tape = tape
        self.state = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.state = seed
        self.state = (1664525 * self.state + 1013904223) & 0xFFFFFFFF
        self.bar = (self.state >> 8) % (BARS - EPISODE)
        self.position = 0
        self.entry = 0.0
        self.length = 0
        return self.tape.rows[self.bar].copy(), {}

    def step(self, action):
        tape, bar, before = self.tape, self.bar, self.position
        position = before if action == 0 else 1 if action == 1 else -1
        if position != before:
            self.entry = tape.log_prices[bar]
        reward = 100 * (position * tape.changes[bar] - COST * abs(position - before))
        self.position = position
        self.bar = bar = bar + 1
        self.length += 1
        observation = tape.rows[bar].copy()
        observation[12] = position
        observation[13] = 100 * (position * (tape.log_prices[bar] - self.entry)) + 0.0  # never minus zero
        return observation, reward, False, self.length == EPISODE, {}


class TapeVecEnv(VecEnv):
    """All environments in one go, as stable-baselines3's VecEnv."""

    def __init__(self, tape, num_envs):
        super().__init__(num_envs, OBSERVATION_SPACE, ACTION_SPACE)
        self.tape = tape
        self.states = np.zeros(num_envs, np.uint64)
        self.bars = np.zeros(num_envs, np.int64)
        self.positions = np.zeros(num_envs)
        self.entries = np.zeros(num_envs)
        self.lengths = np.zeros(num_envs, np.int64)

    def _start(self, which):
        self.states[which] = (1664525 * self.states[which] + 1013904223) & 0xFFFFFFFF
        self.bars[which] = (self.states[which] >> 8) % (BARS - EPISODE)
        self.positions[which] = 0
        self.entries[which] = 0
        self.lengths[which] = 0

    def reset(self):
        for i, seed in enumerate(self._seeds):
            if seed is not None:
                self.states[i] = seed
        self._reset_seeds()
        self._start(slice(None))
        return self.tape.rows[self.bars]

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        tape, before = self.tape, self.positions
        positions = np.where(self.actions == 0, before, np.where(self.actions == 1, 1.0, -1.0))
        turned = positions != before
        self.entries = np.where(turned, tape.log_price[self.bars], self.entries)
        rewards = 100 * (positions * tape.change[self.bars] - COST * np.abs(positions - before))
        self.positions = positions
        self.bars += 1
        self.lengths += 1
        observations = tape.rows[self.bars]
        observations[:, 12] = positions
        observations[:, 13] = 100 * (positions * (tape.log_price[self.bars] - self.entries)) + 0.0
        dones = self.lengths == EPISODE
        infos = [{} for _ in range(self.num_envs)]
        if dones.any():
            ended = np.flatnonzero(dones)
            for i in ended:
                infos[i] = {"terminal_observation": observations[i].copy(), "TimeLimit.truncated": True}
            self._start(ended)
            observations[ended] = tape.rows[self.bars[ended]]
        return observations, rewards.astype(np.float32), dones, infos

    def close(self):
        pass

    def get_attr(self, attr_name, indices=None):
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name, value, indices=None):
        setattr(self, attr_name, value)

    def env_method(self, method_name, *args, indices=None, **kwargs):
        raise NotImplementedError("the environments are one")

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * len(list(self._get_indices(indices)))


def make(kind, file, num_envs):
    tape = Tape(file)
    if kind == "numpy":
        return TapeVecEnv(tape, num_envs)
    return DummyVecEnv([lambda: TapeEnv(tape)] * num_envs)
