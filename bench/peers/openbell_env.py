"""OpenBell's environments in Python: the very market that OpenBell trains in, served by `openbell env-server`.

    env = OpenBellEnv(openbell("experiments/quickstart.yaml"))                                  # gymnasium.Env
    envs = OpenBellVectorEnv(openbell("experiments/quickstart.yaml", "training.n_envs=8"))      # gymnasium VectorEnv
    envs = OpenBellVecEnv(openbell("experiments/quickstart.yaml", "training.n_envs=8"))         # stable-baselines3 VecEnv

A command is started and spoken to over its standard input and output: docs/env-server.md says what the frames hold.
Requires gymnasium and numpy; OpenBellVecEnv requires stable-baselines3.
"""

import json
import struct
import subprocess

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

PROTOCOL = 1
HEAD = struct.Struct("<II")
RESET, STEP, CLOSE, HELLO, STATE, ERROR = 1, 2, 3, 16, 17, 18


class OpenBellError(Exception):
    """What OpenBell refuses, in its own words; `code` is from its catalogue of errors."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def openbell(experiment, *overrides, window="train", executable=("npx", "openbell")):
    """The command that serves an experiment's environment."""
    return [*executable, "env-server", str(experiment), *overrides, "--window", window]


class EnvServer:
    """One served environment: frames over the pipes of a process. Reset and step give a `State`."""

    def __init__(self, command, cwd=None):
        self._process = None
        self._process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._input = self._process.stdin
        self._output = self._process.stdout
        kind, body = self._receive()
        hello = json.loads(bytes(body)) if kind == HELLO else {}
        if hello.get("protocol") != PROTOCOL:
            self.close()
            raise OpenBellError("ENV_SERVER", f"{command[0]} speaks protocol {hello.get('protocol')}, this client {PROTOCOL}")
        self.name = hello["name"]
        self.num_envs = hello["num_envs"]
        low, high = _bounds(hello["observation_space"])
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=np.float32)
        action = hello["action_space"]
        self.discrete = action["kind"] == "discrete"
        if self.discrete:
            self.action_space = gymnasium.spaces.Discrete(action["n"])
        else:
            low, high = _bounds(action)
            self.action_space = gymnasium.spaces.Box(low, high, dtype=np.float32)
        n, o = self.num_envs, len(self.observation_space.low)
        mask = (n, action["n"]) if hello["masked"] else None
        # the order of the frame's arrays
        self._layout = [
            ("rewards", np.float64, (n,)),
            ("episode_returns", np.float64, (n,)),
            ("observations", np.float32, (n, o)),
            ("final_observations", np.float32, (n, o)),
            ("episode_lengths", np.int32, (n,)),
            ("terminations", np.bool_, (n,)),
            ("truncations", np.bool_, (n,)),
        ] + ([("action_masks", np.int8, mask)] if mask else [])
        self._actions = np.empty((n,) if self.discrete else (n, *self.action_space.shape), np.int32 if self.discrete else np.float32)
        self._step_head = HEAD.pack(STEP, self._actions.nbytes)

    def reset(self, seed=None):
        """Environment i is seeded with seed + i; None goes on with the random streams as they stand."""
        self._send(HEAD.pack(RESET, 8) + struct.pack("<d", float("nan") if seed is None else seed))
        return self._state()

    def send_step(self, actions):
        actions = np.asarray(actions)
        if actions.shape != self._actions.shape:
            raise ValueError(f"actions of shape {self._actions.shape} are expected, not {actions.shape}")
        if self.discrete and not np.issubdtype(actions.dtype, np.integer):
            raise ValueError(f"discrete actions are integers, not {actions.dtype}")
        self._actions[...] = actions
        self._send(self._step_head + self._actions.tobytes())

    def receive_step(self):
        return self._state()

    def step(self, actions):
        self.send_step(actions)
        return self._state()

    def close(self):
        """May be called again."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.stdin.write(HEAD.pack(CLOSE, 0))
            process.stdin.close()
        except (BrokenPipeError, OSError):
            pass  # it has ended already
        process.stdout.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __del__(self):
        self.close()

    def _send(self, data):
        if self._process is None:
            raise OpenBellError("ENV_SERVER", "the environment has been closed")
        try:
            self._input.write(data)
            self._input.flush()
        except (BrokenPipeError, OSError):
            self._ended()

    def _state(self):
        kind, body = self._receive()
        if kind == ERROR:
            error = json.loads(bytes(body))
            raise OpenBellError(error["code"], error["message"])
        return State(body, self._layout)

    def _receive(self):
        kind, length = HEAD.unpack(self._read(HEAD.size))
        return kind, self._read(length)

    def _read(self, length):
        data = self._output.read(length)
        if len(data) < length:
            self._ended()
        return data

    def _ended(self):
        status = self._process.wait()
        self.close()
        raise OpenBellError("ENV_SERVER", f"openbell env-server ended with status {status}; it says why on stderr")


class State:
    """The arrays of a frame, as fresh as it: they are nobody else's, and read-only."""

    def __init__(self, body, layout):
        at = 0
        self.action_masks = None
        for name, dtype, shape in layout:
            count = int(np.prod(shape))
            setattr(self, name, np.frombuffer(body, dtype, count, at).reshape(shape))
            at += count * np.dtype(dtype).itemsize


def _bounds(space):
    low = [-np.inf if bound is None else bound for bound in space["low"]]
    high = [np.inf if bound is None else bound for bound in space["high"]]
    return np.array(low, np.float32), np.array(high, np.float32)


class OpenBellEnv(gymnasium.Env):
    """One environment. Where actions are masked, the mask is in info["action_mask"] and `action_masks()`."""

    metadata = {"render_modes": []}

    def __init__(self, command, cwd=None):
        self._server = EnvServer(command, cwd)
        if self._server.num_envs != 1:
            count = self._server.num_envs
            self._server.close()
            raise ValueError(f"the command serves {count} environments: override training.n_envs=1, or take OpenBellVectorEnv")
        self.observation_space = self._server.observation_space
        self.action_space = self._server.action_space
        self.render_mode = None
        self._state = None
        self._ended = False

    def reset(self, *, seed=None, options=None):
        if options:
            raise ValueError(f"this environment takes no reset options: {options}")
        super().reset(seed=seed)
        # after an episode the server stands at the start of the next one already
        if seed is not None or not self._ended:
            self._state = self._server.reset(seed)
        self._ended = False
        return self._state.observations[0].copy(), self._info()

    def step(self, action):
        if self._state is None or self._ended:
            raise gymnasium.error.ResetNeeded("call reset before step")
        state = self._state = self._server.step(np.asarray(action)[None])
        terminated, truncated = bool(state.terminations[0]), bool(state.truncations[0])
        self._ended = terminated or truncated
        observations = state.final_observations if self._ended else state.observations
        return observations[0].copy(), float(state.rewards[0]), terminated, truncated, self._info()

    def action_masks(self):
        """(A) of bool, as sb3-contrib's MaskablePPO asks for it; None where nothing is masked."""
        masks = self._state.action_masks
        return None if masks is None else masks[0].astype(bool)

    def close(self):
        self._server.close()

    def _info(self):
        masks = self._state.action_masks
        return {} if masks is None else {"action_mask": masks[0].copy()}


class OpenBellVectorEnv(gymnasium.vector.VectorEnv):
    """Gymnasium's vector environment, in autoreset mode SameStep: what ended is in infos["final_obs"] and ["final_info"]."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, command, cwd=None):
        self._server = EnvServer(command, cwd)
        self.num_envs = self._server.num_envs
        self.single_observation_space = self._server.observation_space
        self.single_action_space = self._server.action_space
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, self.num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, self.num_envs)
        self.render_mode = None

    def reset(self, *, seed=None, options=None):
        if options:
            raise ValueError(f"these environments take no reset options: {options}")
        super().reset(seed=seed)
        state = self._server.reset(seed)
        return state.observations.copy(), self._infos(state)

    def step(self, actions):
        state = self._server.step(actions)
        infos = self._infos(state)
        ended = state.terminations | state.truncations
        if ended.any():
            finals = np.full(self.num_envs, None, dtype=object)
            for i in np.flatnonzero(ended):
                finals[i] = state.final_observations[i].copy()
            infos["final_obs"], infos["_final_obs"] = finals, ended
            episode = {
                "r": np.where(ended, state.episode_returns, 0.0),
                "l": np.where(ended, state.episode_lengths, 0),
                "_r": ended,
                "_l": ended,
            }
            infos["final_info"], infos["_final_info"] = {"episode": episode, "_episode": ended}, ended
        return state.observations.copy(), state.rewards.copy(), state.terminations.copy(), state.truncations.copy(), infos

    def close_extras(self, **kwargs):
        self._server.close()

    def _infos(self, state):
        if state.action_masks is None:
            return {}
        return {"action_mask": state.action_masks.copy(), "_action_mask": np.ones(self.num_envs, bool)}


try:
    from stable_baselines3.common.vec_env import VecEnv
except ModuleNotFoundError:
    VecEnv = None

if VecEnv is not None:

    class OpenBellVecEnv(VecEnv):
        """stable-baselines3's vector environment: infos hold terminal_observation, TimeLimit.truncated and episode."""

        def __init__(self, command, cwd=None):
            self._server = EnvServer(command, cwd)
            super().__init__(self._server.num_envs, self._server.observation_space, self._server.action_space)
            self._state = None

        def reset(self):
            # seed + i for environment i, as stable-baselines3 numbers them too
            self._state = self._server.reset(self._seeds[0])
            self.reset_infos = [{} for _ in range(self.num_envs)]
            self._reset_seeds()
            self._reset_options()
            return self._state.observations.copy()

        def step_async(self, actions):
            self._server.send_step(actions)

        def step_wait(self):
            state = self._state = self._server.receive_step()
            dones = state.terminations | state.truncations
            infos = [{} for _ in range(self.num_envs)]
            for i in np.flatnonzero(dones):
                infos[i] = {
                    "terminal_observation": state.final_observations[i].copy(),
                    "TimeLimit.truncated": bool(state.truncations[i] and not state.terminations[i]),
                    "episode": {"r": float(state.episode_returns[i]), "l": int(state.episode_lengths[i])},
                }
            return state.observations.copy(), state.rewards.astype(np.float32), dones, infos

        def close(self):
            self._server.close()

        def env_method(self, method_name, *method_args, indices=None, **method_kwargs):
            if method_name != "action_masks" or self._state is None or self._state.action_masks is None:
                raise AttributeError(f"served environments have no method {method_name}")
            return [self._state.action_masks[i].astype(bool) for i in self._get_indices(indices)]

        def get_attr(self, attr_name, indices=None):
            known = {"render_mode": None, "spec": None}
            if attr_name == "action_masks" and self._state is not None and self._state.action_masks is not None:
                known["action_masks"] = None  # sb3-contrib asks whether there is such an attribute
            if attr_name not in known:
                raise AttributeError(f"served environments have no attribute {attr_name}")
            return [known[attr_name] for _ in self._get_indices(indices)]

        def set_attr(self, attr_name, value, indices=None):
            raise AttributeError(f"served environments take no attribute {attr_name}")

        def env_is_wrapped(self, wrapper_class, indices=None):
            return [False for _ in self._get_indices(indices)]
