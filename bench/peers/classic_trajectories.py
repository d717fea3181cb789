"""Writes test/golden/classic/*.json: trajectories of the real Gymnasium, which env/classic must reproduce.

    python3 -m venv .venv && .venv/bin/pip install -r bench/peers/requirements.txt
    .venv/bin/python bench/peers/classic_trajectories.py

Start states are set by hand, since the random generators differ. Every step's state is written (float64, round
trip), so that a test can follow the whole trajectory, and can also check each step by itself where the motion
is chaotic.
"""

import json
import math
import pathlib
import random

import gymnasium
import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "golden" / "classic"


def random_actions(n, seed):
    generator = random.Random(seed)
    return lambda state, step: generator.randrange(n)


def balance(state, step):
    """Keeps the pole up for some hundred steps."""
    return 1 if state[2] + 0.3 * state[3] + 0.01 * state[0] + 0.02 * state[1] > 0 else 0


def pump(state, step):
    """Pushes the car along its velocity: reaches the goal."""
    return 2 if state[1] >= 0 else 0


def pump_arm(state, step):
    """Torque along the second joint's speed: swings the arm up."""
    return 2 if state[3] >= 0 else 0


def torques(seed):
    generator = random.Random(seed)
    return lambda state, step: float(np.float32(generator.uniform(-2, 2)))


def bang(state, step):
    """Pumps energy: reaches the speed limit."""
    return 2.0 if state[1] >= 0 else -2.0


CASES = {
    "CartPole-v1": [
        ("balance", [0.01, -0.02, 0.03, 0.04], balance),
        ("random", [-0.04, 0.03, -0.02, 0.01], random_actions(2, 1)),
        ("right", [0.0, 0.0, 0.0, 0.0], lambda state, step: 1),
    ],
    "Acrobot-v1": [
        ("pump", [0.05, -0.03, 0.02, 0.01], pump_arm),
        ("random", [0.01, 0.02, -0.03, 0.04], random_actions(3, 2)),
    ],
    "MountainCar-v0": [
        ("pump", [-0.5, 0.0], pump),
        ("random", [-0.45, 0.0], random_actions(3, 3)),
        ("left", [-0.6, 0.0], lambda state, step: 0 if step < 25 or 60 < step < 80 else 2),
    ],
    "Pendulum-v1": [
        ("random", [2.5, -0.7], torques(4)),
        ("pump", [3.1, 0.3], bang),
    ],
}


def trajectory(env_id, name, start, policy):
    env = gymnasium.make(env_id)
    env.reset(seed=0)
    bare = env.unwrapped
    bare.state = np.array(start, dtype=np.float32 if env_id == "Acrobot-v1" else np.float64)
    start = [float(x) for x in bare.state]
    states, observations, rewards, actions = [], [], [], []
    terminated = truncated = False
    while not (terminated or truncated):
        action = policy([float(x) for x in bare.state], len(actions))
        sent = np.array([action], dtype=np.float32) if env_id == "Pendulum-v1" else action
        observation, reward, terminated, truncated, _ = env.step(sent)
        actions.append(action)
        rewards.append(float(reward))
        states.append([float(x) for x in bare.state])
        observations.append([float(x) for x in observation])
    every = max(1, len(actions) // 20)
    kept = {step: observations[step] for step in range(0, len(actions), every)}
    kept[len(actions) - 1] = observations[-1]
    assert all(math.isfinite(x) for row in states for x in row)
    return {
        "name": name,
        "start": start,
        "actions": actions,
        "rewards": rewards,
        "states": states,
        "observations": kept,
        "terminated": bool(terminated),
        "truncated": bool(truncated),
    }


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for env_id, cases in CASES.items():
        document = {
            "source": f"gymnasium {gymnasium.__version__}, numpy {np.__version__}",
            "id": env_id,
            "trajectories": [trajectory(env_id, *case) for case in cases],
        }
        text = json.dumps(document, separators=(",", ":"))
        (OUT / f"{env_id}.json").write_text(text.replace('{"name"', '\n{"name"') + "\n")
        for t in document["trajectories"]:
            print(env_id, t["name"], len(t["actions"]), t["terminated"], t["truncated"])


if __name__ == "__main__":
    main()
