"""stable-baselines3's side of learning-curve parity. Requests and answers are lines of JSON.

    python learning_curves.py

bench/parity/main.ts starts it. One training a request: the policy is scored between updates, by its most probable
actions, on one whole episode from each of the given starts.
"""

import json
import os
import platform
import sys

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from openbell_env import OpenBellVecEnv

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))

# stdout carries answers only
answers = sys.stdout
sys.stdout = sys.stderr

# as they stand: a schedule alone needs translating
PLAIN = (
    "n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "normalize_advantage", "ent_coef", "vf_coef",
    "max_grad_norm", "target_kl",
)  # fmt: skip


def versions(request):
    return {
        "python": platform.python_version(),
        "stable-baselines3": stable_baselines3.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
    }


def schedule(value):
    if value is None or isinstance(value, (int, float)):
        return value
    initial, final = value["initial"], value.get("final", 0.0)
    # the last rollout may overshoot: never below the end
    return lambda progress: final + max(progress, 0.0) * (initial - final)


def make_model(env, config, seed):
    if config["target_kl_scope"] != "minibatch" or config["value_clipping"] != "clamped":
        raise ValueError("stable-baselines3 has neither CleanRL's value clipping nor its target_kl")
    return PPO(
        "MlpPolicy",
        env,
        learning_rate=schedule(config["learning_rate"]),
        clip_range=schedule(config["clip_range"]),
        clip_range_vf=schedule(config["clip_range_vf"]),
        policy_kwargs={
            "net_arch": {"pi": list(config["net_arch"]["pi"]), "vf": list(config["net_arch"]["vf"])},
            "activation_fn": {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[config["activation_fn"]],
            "ortho_init": config["ortho_init"],
            "log_std_init": config["log_std_init"],
            "optimizer_kwargs": {"eps": config["adam_eps"]},
        },
        device="cpu",
        seed=seed,
        verbose=0,
        **{name: config[name] for name in PLAIN},
    )


class ClassicEpisodes:
    """One Gymnasium environment a start; the starts are those that OpenBell's policy is scored from."""

    def __init__(self, identifier, starts):
        self.envs = [gymnasium.make(identifier, disable_env_checker=True) for _ in starts]
        self.starts = [np.array(start) for start in starts]

    def returns(self, act):
        observations = np.stack([self._start(env, start) for env, start in zip(self.envs, self.starts)])
        totals = np.zeros(len(self.envs))
        running = np.arange(len(self.envs))
        while len(running) > 0:
            actions = act(observations[running])
            still = []
            for i, action in zip(running, actions):
                observations[i], reward, terminated, truncated, _ = self.envs[i].step(action)
                totals[i] += float(reward)
                if not (terminated or truncated):
                    still.append(i)
            running = np.array(still, dtype=int)
        return totals

    @staticmethod
    def _start(env, start):
        env.reset()
        task = env.unwrapped
        task.state = start.copy()
        if env.spec.id == "Pendulum-v1":
            return task._get_obs()
        if env.spec.id == "Acrobot-v1":
            return task._get_ob()
        return np.array(task.state, dtype=np.float32)

    def close(self):
        for env in self.envs:
            env.close()


class MarketEpisodes:
    """The first episode of every account of a market of OpenBell's, always reset with the same seed."""

    def __init__(self, command, seed):
        self.env = OpenBellVecEnv(command)
        self.seed = seed

    def returns(self, act):
        self.env.seed(self.seed)
        observations = self.env.reset()
        totals = np.full(self.env.num_envs, np.nan)
        while np.isnan(totals).any():
            observations, _, dones, infos = self.env.step(act(observations))
            for i in np.flatnonzero(dones):
                if np.isnan(totals[i]):
                    totals[i] = infos[i]["episode"]["r"]
        return totals

    def close(self):
        self.env.close()


class Curve(BaseCallback):
    """Scores the policy before a rollout, that is after the update before it, where a point is due."""

    def __init__(self, episodes, normalizer, total, evaluations):
        super().__init__()
        self.episodes, self.normalizer = episodes, normalizer
        self.total, self.evaluations = total, evaluations
        self.timesteps, self.scores, self.due = [], [], 0

    def _on_rollout_start(self):
        if self.num_timesteps >= self.due * self.total / self.evaluations:
            self.score()

    def score(self):
        def act(observations):
            if self.normalizer is not None:
                observations = self.normalizer.normalize_obs(observations)
            return self.model.predict(observations, deterministic=True)[0]

        self.timesteps.append(self.model.num_timesteps)
        self.scores.append(float(np.mean(self.episodes.returns(act))))
        self.due = self.model.num_timesteps * self.evaluations // self.total + 1

    def _on_step(self):
        return True


def train(request):
    task, world, config = request["task"], request["world"], request["task"]["config"]
    if world["kind"] == "classic":
        makers = [lambda: gymnasium.make(world["id"], disable_env_checker=True)] * task["n_envs"]
        env = DummyVecEnv(makers)
        episodes = ClassicEpisodes(world["id"], world["starts"])
    else:
        env = OpenBellVecEnv(world["training"])
        episodes = MarketEpisodes(world["scoring"], world["seed"])
    normalize = config["normalize"]
    normalizer = None
    if normalize is not None:
        env = normalizer = VecNormalize(
            env,
            norm_obs=normalize["observation"],
            norm_reward=normalize["reward"],
            clip_obs=normalize["clip_obs"],
            clip_reward=normalize["clip_reward"],
            gamma=config["gamma"],
            epsilon=normalize["epsilon"],
        )
    model = make_model(env, config, request["seed"])
    curve = Curve(episodes, normalizer, task["total_timesteps"], task["evaluations"])
    model.learn(task["total_timesteps"], callback=curve, log_interval=None)
    curve.score()
    env.close()
    episodes.close()
    return {"timesteps": curve.timesteps, "scores": curve.scores}


HANDLERS = {"versions": versions, "train": train}

for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(HANDLERS[request["do"]](request)), file=answers, flush=True)
