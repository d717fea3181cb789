"""The peers' side of a measurement: stable-baselines3, or sbx, on tape_env. Requests and answers are lines of JSON.

    python peer.py sb3|sbx

main.ts starts it, with the number of threads in OMP_NUM_THREADS.
"""

import hashlib
import json
import os
import platform
import sys
import time

import gymnasium
import numpy as np
import stable_baselines3
import torch

import tape_env

PEER = sys.argv[1]
THREADS = int(os.environ["OMP_NUM_THREADS"])
torch.set_num_threads(THREADS)

# stdout carries answers only
answers = sys.stdout
sys.stdout = sys.stderr

if PEER == "sbx":
    import jax
    import sbx

    PPO = sbx.PPO
    VERSIONS = {"sbx": sbx.__version__, "jax": jax.__version__}
else:
    PPO = stable_baselines3.PPO
    VERSIONS = {}

model = None


def versions(request):
    return {
        "python": platform.python_version(),
        "stable-baselines3": stable_baselines3.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "gymnasium": gymnasium.__version__,
        **VERSIONS,
    }


def trace(request):
    """Digest of all that the environments say while they play fixed actions: see traceOf in tape-env.ts."""
    n = request["nEnvs"]
    env = tape_env.make(request["kind"], request["tape"], n)
    env.seed(request["seed"])
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(env.reset()).tobytes())
    index = np.arange(n)
    for t in range(request["steps"]):
        observations, rewards, dones, infos = env.step((t * t + 3 * index) % 7 % 3)
        digest.update(np.ascontiguousarray(observations).tobytes())
        digest.update(np.asarray(rewards, np.float32).tobytes())
        digest.update(np.asarray(dones, np.uint8).tobytes())
        for i in np.flatnonzero(dones):
            digest.update(np.ascontiguousarray(infos[i]["terminal_observation"]).tobytes())
    return {"digest": digest.hexdigest()}


def training(request):
    """Prepares a training; answers how many updates take about `seconds`."""
    global model
    config = request["config"]
    arguments = {
        name: config[name]
        for name in (
            "learning_rate", "n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "clip_range",
            "normalize_advantage", "ent_coef", "vf_coef", "max_grad_norm", "target_kl",
        )
    }  # fmt: skip
    env = tape_env.make(request["kind"], request["tape"], request["nEnvs"])
    net_arch = {"pi": list(config["net_arch"]["pi"]), "vf": list(config["net_arch"]["vf"])}
    if PEER == "sbx":
        del arguments["normalize_advantage"]  # always on there
    model = PPO(
        "MlpPolicy", env, policy_kwargs={"net_arch": net_arch}, device="cpu", seed=request["seed"], verbose=0, **arguments
    )  # fmt: skip
    model.learn(model.n_steps * env.num_envs, log_interval=None)
    seconds = train({"updates": 1})["seconds"]
    return {"updates": max(1, round(request["seconds"] / seconds))}


def train(request):
    rollout = model.n_steps * model.get_env().num_envs
    start = time.perf_counter()
    before = model.num_timesteps
    model.learn(request["updates"] * rollout, reset_num_timesteps=False, log_interval=None)
    return {"seconds": time.perf_counter() - start, "steps": model.num_timesteps - before}


HANDLERS = {"versions": versions, "trace": trace, "training": training, "train": train}

for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(HANDLERS[request["do"]](request)), file=answers, flush=True)
