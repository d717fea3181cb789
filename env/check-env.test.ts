import { expect, it } from 'vitest';
import { assertEnv, assertVectorEnv, checkEnv, type CheckVectorOptions, checkVectorEnv } from '#env/check-env.js';
import type { Env, Info, ResetOptions, StepResult } from '#env/gym.js';
import { RandomStream } from '#env/seeding.js';
import { type ActionSpace, type BoxSpace, box, discrete } from '#env/spaces.js';
import type { StateDict } from '#env/state.js';
import { SyncVectorEnv } from '#env/sync-vector-env.js';
import { MaskedToyEnv, ToyBoxEnv, ToyEnv } from '#env/toy-env.fixture.js';
import type { VectorEnv } from '#env/vector-env.js';

const brokenRules = (makeEnv: () => Env) =>
  checkEnv(makeEnv)
    .filter(({ level }) => level === 'error')
    .map(({ check }) => check);

const messageOf = (makeEnv: () => Env, check: string) =>
  checkEnv(makeEnv).find((finding) => finding.check === check)?.message ?? '';

it('finds nothing wrong with sound environments', () => {
  expect(checkEnv(() => new ToyEnv())).toEqual([]);
  expect(checkEnv(() => new ToyBoxEnv())).toEqual([]);
  expect(checkEnv(() => new MaskedToyEnv())).toEqual([]);
});

/** Each breaks one rule; the checker must name that rule and no other. */
const broken: Record<string, [string[], () => Env]> = {
  'a discrete space without actions': [
    ['action-space'],
    () => {
      return new (class extends ToyEnv {
        override readonly actionSpace: ActionSpace = { kind: 'discrete', n: 0 };
      })();
    },
  ],
  'a low bound above its high bound': [
    ['observation-space'],
    () => {
      return new (class extends ToyEnv {
        override readonly observationSpace: BoxSpace = {
          kind: 'box',
          shape: [2],
          low: Float64Array.of(1, 0),
          high: Float64Array.of(0, 1),
        };
      })();
    },
  ],
  'an observation outside the space': [
    ['observation'],
    () => {
      return new (class extends ToyEnv {
        protected override observe(): Float32Array {
          return Float32Array.of(this.numbers[1] > 3 ? 11 : 0, this.numbers[1] > 3 ? NaN : 0);
        }
      })();
    },
  ],
  'a reward that is not finite': [
    ['reward'],
    () => {
      return new (class extends ToyEnv {
        override step(action: number | Float32Array): StepResult {
          const [observation, , terminated, truncated, info] = super.step(action);
          return [observation, this.numbers[1] === 2 ? NaN : 0, terminated, truncated, info];
        }
      })();
    },
  ],
  'reset options that are refused': [
    ['reset-options'],
    () => {
      return new (class extends ToyEnv {
        override reset(options: ResetOptions = {}): [Float32Array, Info] {
          if (options.options !== undefined) throw new Error('no options here');
          return super.reset(options);
        }
      })();
    },
  ],
  'a step before the first reset': [
    ['step-before-reset'],
    () => {
      return new (class extends ToyEnv {
        constructor() {
          super();
          this.numbers[2] = 1;
        }
      })();
    },
  ],
  'a step after the end': [
    ['step-after-end'],
    () => {
      return new (class extends ToyEnv {
        #started = false;
        override reset(options?: ResetOptions): [Float32Array, Info] {
          this.#started = true;
          return super.reset(options);
        }
        override step(action: number | Float32Array): StepResult {
          if (this.#started) this.numbers[2] = 1;
          return super.step(action);
        }
      })();
    },
  ],
  'an action outside the space': [
    ['invalid-action'],
    () => {
      return new (class extends ToyEnv {
        override step(action: number | Float32Array): StepResult {
          return super.step(typeof action === 'number' && action > 2 ? 2 : action);
        }
      })();
    },
  ],
  'one observation array used again and again': [
    ['aliasing'],
    () => {
      return new (class extends ToyEnv {
        readonly #same = new Float32Array(2);
        protected override observe(): Float32Array {
          this.#same.set(super.observe());
          return this.#same;
        }
      })();
    },
  ],
  'an info that changes later': [
    ['aliasing'],
    () => {
      return new (class extends ToyEnv {
        readonly #info: Info = {};
        override step(action: number | Float32Array): StepResult {
          const [observation, reward, terminated, truncated] = super.step(action);
          this.#info['count'] = this.numbers[1];
          return [observation, reward, terminated, truncated, this.#info];
        }
      })();
    },
  ],
  'a seed that is ignored': [
    ['reset-seed', 'other-seed', 'episode-determinism'],
    () => {
      return new (class extends ToyEnv {
        protected override seed(): void {}
      })();
    },
  ],
  'one seed for all': [
    ['other-seed'],
    () => {
      return new (class extends ToyEnv {
        protected override seed(): void {
          super.seed(7);
        }
      })();
    },
  ],
  'a reset without a seed that starts the stream anew': [
    ['null-seed'],
    () => {
      return new (class extends ToyEnv {
        #last = 0;
        override reset(options: ResetOptions = {}): [Float32Array, Info] {
          this.#last = options.seed ?? this.#last;
          return super.reset({ seed: this.#last });
        }
        // The last seed is part of the state, so that only the one rule is broken.
        override getState(): StateDict {
          return { ...super.getState(), last: this.#last };
        }
        override setState(state: StateDict): void {
          super.setState(state);
          this.#last = Number(state['last']);
        }
      })();
    },
  ],
  'randomness from outside the streams': [
    ['episode-determinism', 'snapshot'],
    () => {
      return new (class extends ToyEnv {
        protected override push(): number {
          return (unseeded = (unseeded * 16807) % 2147483647) / 2147483647;
        }
      })();
    },
  ],
  'a stream that the state forgets': [
    ['snapshot'],
    () => {
      return new (class extends ToyEnv {
        #second = new RandomStream(0, 'second');
        protected override seed(seed: number): void {
          super.seed(seed);
          this.#second = new RandomStream(seed, 'second');
        }
        protected override push(): number {
          return this.#second.uniform();
        }
      })();
    },
  ],
  'a state that later steps change': [
    ['state-copy'],
    () => {
      return new (class extends ToyEnv {
        override getState(): StateDict {
          return { ...super.getState(), numbers: this.numbers };
        }
      })();
    },
  ],
  'a state that JSON would lose': [
    ['state-json'],
    () => {
      return new (class extends ToyEnv {
        override getState(): StateDict {
          return { ...super.getState(), best: -Infinity };
        }
      })();
    },
  ],
  'a mask that allows nothing': [
    ['action-mask'],
    () => {
      return new (class extends ToyEnv {
        actionMask(): Uint8Array {
          return Uint8Array.of(2, 1, 0);
        }
      })();
    },
  ],
  'an environment that cannot be closed twice': [
    ['close'],
    () => {
      return new (class extends ToyEnv {
        #closed = false;
        override close(): void {
          if (this.#closed) throw new Error('already closed');
          this.#closed = true;
        }
      })();
    },
  ],
};

/** A generator outside every stream, as Math.random would be, but reproducible for the tests. */
let unseeded = 1;

for (const [name, [rules, makeEnv]] of Object.entries(broken)) {
  it(`finds ${name}`, () => {
    expect(brokenRules(makeEnv).sort()).toEqual(rules.sort());
  });
}

it('finds results of the wrong shape, as plain JavaScript may return them', () => {
  const four = () => {
    const env = new ToyEnv();
    const step = env.step.bind(env);
    Object.assign(env, { step: (action: number) => step(action).slice(0, 4) });
    return env;
  };
  expect(brokenRules(four)).toContain('step-result');
  const numberFlag = () => {
    const env = new ToyEnv();
    const step = env.step.bind(env);
    Object.assign(env, {
      step: (action: number) => step(action).map((value) => (typeof value === 'boolean' ? Number(value) : value)),
    });
    return env;
  };
  expect(brokenRules(numberFlag)).toEqual(['flags']);
  const bareReset = () => {
    const env = new ToyEnv();
    const reset = env.reset.bind(env);
    Object.assign(env, { reset: (options: ResetOptions) => reset(options)[0] });
    return env;
  };
  expect(brokenRules(bareReset)).toContain('reset-result');
});

it('names every bad index of an observation', () => {
  const [, makeEnv] = broken['an observation outside the space'];
  expect(messageOf(makeEnv, 'observation')).toMatch(
    /step 3: index 0: 11 is not in \[-10, 10\]; index 1: NaN is not in \[0, 1\]/,
  );
});

it('warns of infinite observation bounds and unscaled actions, as Gymnasium does', () => {
  class Loose extends ToyBoxEnv {
    override readonly observationSpace = box([-Infinity, 0], [10, 1]);
    override readonly actionSpace = box(-2, 2, 1);
  }
  expect(checkEnv(() => new Loose()).map(({ check, level }) => [check, level])).toEqual([
    ['observation-bounds', 'warning'],
    ['action-bounds', 'warning'],
  ]);
});

it('throws all errors at once', () => {
  class TwoFaults extends ToyEnv {
    override readonly actionSpace = discrete(3);
    protected override seed(): void {
      super.seed(7);
    }
    override getState(): StateDict {
      return { ...super.getState(), best: NaN };
    }
  }
  expect(() => assertEnv(() => new TwoFaults())).toThrow(
    /ENV_CONTRACT checkEnv 2: .*\n {2}other-seed: .*\n {2}state-json: /,
  );
  expect(() => assertEnv(() => new ToyEnv())).not.toThrow();
});

// Vector environments

const makeToys = (n: number) => new SyncVectorEnv(() => new ToyEnv(), n);
const brokenVectorRules = (makeEnv: (n: number) => VectorEnv, options?: CheckVectorOptions) =>
  checkVectorEnv(makeEnv, { steps: 300, ...options }).map(({ check }) => check);

it('finds nothing wrong with sound vector environments', () => {
  expect(checkVectorEnv(makeToys)).toEqual([]);
  expect(checkVectorEnv((n) => new SyncVectorEnv(() => new ToyBoxEnv(), n))).toEqual([]);
  expect(checkVectorEnv((n) => new SyncVectorEnv(() => new MaskedToyEnv(), n))).toEqual([]);
  expect(() => assertVectorEnv(makeToys)).not.toThrow();
});

class Toys extends SyncVectorEnv {
  constructor(n: number) {
    super(() => new ToyEnv(), n);
  }
}

const brokenVectors: Record<string, [string[], (n: number) => VectorEnv]> = {
  'another number of environments': [['num-envs'], () => new Toys(2)],
  'arrays of the wrong type': [
    ['arrays'],
    (n) => {
      return new (class extends Toys {
        override readonly truncations: Uint8Array = new Uint8Array(n + 1);
      })(n);
    },
  ],
  'final observations that are not written': [
    ['observation'],
    (n) => {
      return new (class extends Toys {
        override step(actions: Int32Array | Float32Array): void {
          const before = this.finalObservations.slice();
          super.step(actions);
          this.finalObservations.set(before);
        }
      })(n);
    },
  ],
  'no reset in the same step': [
    ['autoreset'],
    (n) => {
      return new (class extends Toys {
        override step(actions: Int32Array | Float32Array): void {
          super.step(actions);
          for (let i = 0; i < n; i++) {
            if ((this.terminations[i] | this.truncations[i]) === 0) continue;
            this.observations.set(this.finalObservations.subarray(2 * i, 2 * i + 2), 2 * i);
          }
        }
      })(n);
    },
  ],
  'episode lengths that are off by one': [
    ['episode-statistics'],
    (n) => {
      return new (class extends Toys {
        override step(actions: Int32Array | Float32Array): void {
          super.step(actions);
          for (let i = 0; i < n; i++) this.episodeLengths[i]++;
        }
      })(n);
    },
  ],
  'rows that all have the same seed': [
    ['rows'],
    (n) => {
      return new SyncVectorEnv((i) => {
        return new (class extends ToyEnv {
          protected override seed(seed: number): void {
            super.seed(seed - i);
          }
        })();
      }, n);
    },
  ],
  'a step before the first reset': [
    ['step-before-reset'],
    (n) => {
      return new (class extends Toys {
        override step(actions: Int32Array | Float32Array): void {
          if (this.observations.every((x) => x === 0)) this.reset({ seed: 1 });
          super.step(actions);
        }
      })(n);
    },
  ],
  'a state without the observations': [
    ['snapshot'],
    (n) => {
      return new (class extends Toys {
        override setState(state: StateDict): void {
          super.setState(state);
          this.observations.fill(0);
        }
      })(n);
    },
  ],
};

for (const [name, [rules, makeEnv]] of Object.entries(brokenVectors)) {
  it(`finds in a vector ${name}`, () => {
    expect(brokenVectorRules(makeEnv)).toEqual(rules);
  });
}

it('lets rows differ where the caller says that they are different worlds', () => {
  const makeEnv = (n: number) =>
    new SyncVectorEnv((i) => {
      return new (class extends ToyEnv {
        protected override push(): number {
          return i / 100;
        }
      })();
    }, n);
  expect(brokenVectorRules(makeEnv)).toEqual(['rows']);
  expect(brokenVectorRules(makeEnv, { rowsAlike: false })).toEqual([]);
});
