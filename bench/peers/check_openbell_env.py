"""Holds openbell_env.py to Gymnasium's contract and stable-baselines3's. Prints JSON; test/interop starts it.

    python check_openbell_env.py REQUEST    where REQUEST is JSON: {"commands": {name: [...]}, "steps": N, "seed": S}

Commands: `single` (one environment, discrete), `box` (one, Box), `vector` (several, discrete, unmasked), `masked` (one).
"""

import hashlib
import json
import sys
import warnings

import gymnasium
import numpy as np
from gymnasium.utils.env_checker import check_env

from openbell_env import OpenBellEnv, OpenBellError, OpenBellVectorEnv

warnings.simplefilter("ignore")  # both checkers advise finite bounds, which a market's features do not have
request = json.loads(sys.argv[1])
commands, steps, seed = request["commands"], request["steps"], request["seed"]
found = {"gymnasium": gymnasium.__version__}


def actions_at(t, n):
    """The same on both sides: see traceOf in the test."""
    return (t * t + 3 * np.arange(n)) % 7 % 3


def digest_of(arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


# a single environment
for name in ("single", "box", "masked"):
    env = OpenBellEnv(commands[name])
    check_env(env)
    env.close()
    env.close()
found["gymnasium_check_env"] = "passed"

# a vector of them: every number, bit by bit
envs = OpenBellVectorEnv(commands["vector"])
observations, _ = envs.reset(seed=seed)
seen = [observations]
episodes = 0
for t in range(steps):
    observations, rewards, terminations, truncations, infos = envs.step(actions_at(t, envs.num_envs))
    seen += [observations, rewards, terminations.astype(np.uint8), truncations.astype(np.uint8)]
    for i in np.flatnonzero(terminations | truncations):
        episode = infos["final_info"]["episode"]
        seen += [infos["final_obs"][i], np.float64(episode["r"][i]), np.int32(episode["l"][i])]
        episodes += 1
found["vector_digest"] = digest_of(seen)
found["episodes"] = episodes

# what is refused changes nothing
try:
    envs.step(np.full(envs.num_envs, 3))
    found["refused"] = None
except OpenBellError as error:
    found["refused"] = error.code
found["after_refusal"] = digest_of(envs.step(actions_at(steps, envs.num_envs))[:1])
envs.close()

# masks
env = OpenBellEnv(commands["masked"])
_, info = env.reset(seed=seed)
found["mask"] = info["action_mask"].tolist()
env.close()

# a server that is gone is an error, and not a hang
env = OpenBellEnv(commands["single"])
env.reset(seed=seed)
env._server._process.kill()
try:
    for _ in range(3):
        env.step(0)
    found["gone"] = None
except OpenBellError as error:
    found["gone"] = error.code

try:
    OpenBellEnv(commands["vector"])
    found["several"] = None
except ValueError as error:
    found["several"] = str(error)

try:
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_checker import check_env as sb3_check_env

    from openbell_env import OpenBellVecEnv
except ModuleNotFoundError:
    found["stable_baselines3"] = "not installed"
else:
    env = OpenBellEnv(commands["single"])
    sb3_check_env(env)
    env.close()
    envs = OpenBellVecEnv(commands["vector"])
    envs.seed(seed)
    seen = [envs.reset()]
    truncated = 0
    for t in range(steps):
        observations, rewards, dones, infos = envs.step(actions_at(t, envs.num_envs))
        seen += [observations, rewards, dones.astype(np.uint8)]
        for i in np.flatnonzero(dones):
            seen.append(infos[i]["terminal_observation"])
            truncated += infos[i]["TimeLimit.truncated"]
    found["vec_env_digest"] = digest_of(seen)
    found["truncated"] = truncated
    PPO("MlpPolicy", envs, n_steps=32, batch_size=64, n_epochs=1, device="cpu", seed=0).learn(2 * 32 * envs.num_envs)
    envs.close()
    found["stable_baselines3"] = "trained"

print(json.dumps(found))
