/**
 * The experiment file, key by key. Types come from env/ and agents/, defaults from `defaults.ts`: here stand only
 * what is allowed and what each key means. Everything that is described here appears in experiments/schema.json
 * (completion in editors) and docs/experiment-keys.md, both generated.
 */
import * as z from 'zod';
import type { MarketConfig } from '#env/market/config.js';
import { utcInstant } from '#env/market/window.js';
import type { PpoConfig } from '#agents/ppo/config.js';
import { OpenBellError } from '#src/errors.js';

const notNegative = () => z.number().min(0);
const positive = () => z.number().gt(0);
const count = (least = 1, most = Number.MAX_SAFE_INTEGER) => z.int().min(least).max(most);
const fraction = () => z.number().min(0).max(1);
const clockTime = () => z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as "09:35"');

const CLASSIC_IDS = ['CartPole-v1', 'Acrobot-v1', 'MountainCar-v0', 'Pendulum-v1'] as const;
export type ClassicId = (typeof CLASSIC_IDS)[number];

const marketShape = {
  initial_equity: positive().describe('Account currency, over all sleeves together.'),
  minimum_equity: z
    .number()
    .min(0)
    .lt(1)
    .describe('An account whose equity falls to this share of its initial sleeve is terminated.'),
  sleeves: z
    .union([z.literal('equal'), z.record(z.string(), positive())])
    .describe('Each symbol trades its own sleeve of equity: equal, or weights by symbol.'),
  position_fraction: positive().max(1).describe("Share of the sleeve's equity that one position may use."),
  direction: z.enum(['long_only', 'long_short']).describe('Whether positions may be short.'),
  actions: z
    .enum(['discrete', 'target'])
    .describe('discrete: 0 hold, 1 buy, 2 sell. target: a number in [-1, 1], the signed share of the budget.'),
  mask_actions: z.boolean().describe('Mask discrete actions that would do nothing.'),
  order: z
    .strictObject({
      type: z
        .enum(['market', 'limit'])
        .describe(
          "market: the next bar's open. limit: the decision's close plus or minus the buffer, good for one bar.",
        ),
      buffer_bps: notNegative().describe('Buffer of limit orders, in basis points of the close.'),
    })
    .describe('How a decision becomes an order.'),
  rules: z
    .strictObject({
      trading_windows: z
        .array(z.tuple([clockTime(), clockTime()]))
        .nullable()
        .describe('Entries only inside these local times of the calendar, e.g. [["09:35", "15:45"]]; null: always.'),
      max_cycles_per_day: count().nullable().describe('A cycle is an entry and its exit; null: no limit.'),
      flat_before_close_minutes: notNegative()
        .nullable()
        .describe("Be flat this many minutes before the session's close; null: positions may be held overnight."),
    })
    .describe('What the agent may do, and when; the same rules hold live.'),
  costs: z
    .strictObject({
      model: z
        .enum(['none', 'percent', 'ibkr_fixed'])
        .describe('ibkr_fixed: per share with minimum and maximum, and dated regulatory fees.'),
      percent_bps: notNegative().describe('Commission of model percent, in basis points of the traded value.'),
      spread_bps: notNegative().describe('Whole bid-ask spread in basis points: half of it is paid at each side.'),
      slippage_bps: notNegative().describe('Slippage of each fill, in basis points.'),
      borrow_rate: notNegative().describe('Annual borrow rate on shorts, as a fraction.'),
    })
    .describe('What the market charges.'),
  exits: z
    .strictObject({
      initial_stop: positive().lt(1).nullable().describe('Stop this fraction from the entry price; null: none.'),
      trailing_stop: positive()
        .lt(1)
        .nullable()
        .describe('Trailing stop this fraction from the best price since entry; null: none.'),
      take_profit: z
        .array(z.strictObject({ gain: positive(), fraction: positive().max(1) }))
        .describe('Staged take-profit: at `gain` over the entry price, close `fraction` of the initial quantity.'),
      fixed_stop: z
        .strictObject({ gain: positive(), level: z.number() })
        .nullable()
        .describe('Past `gain`, the stop is fixed at entry price x (1 + level); null: none.'),
      ema_rule: z
        .strictObject({ period: count(2), action: z.enum(['exit', 'tighten']), tighten_to: positive().max(1) })
        .nullable()
        .describe('A close beyond EMA(period) after entry exits, or tightens the stop to `tighten_to` of the close.'),
      ratchet: z
        .enum(['close', 'tick'])
        .describe('When the levels move: at the close of bars everywhere; tick is a live-only choice.'),
    })
    .describe('How a position is left besides by the agent; the same exits hold live.'),
  noise: z
    .strictObject({
      fill_price_bps: notNegative().describe('Standard deviation of the fill price, in basis points; 0: off.'),
      observation: notNegative().describe('Standard deviation added to each market feature, in its own units; 0: off.'),
      cost: notNegative().describe('Standard deviation of the log of a multiplier of costs; 0: off.'),
      delay: fraction().describe('Probability that an order is acted on one bar late.'),
      price_bps: notNegative().describe('Standard deviation of the observed price a bar, in basis points; 0: off.'),
      price_replicas: count(1, 1024).describe('Pre-noised copies of the bars that price noise draws from.'),
    })
    .describe('Noise while training, each on its own random stream; evaluation has none.'),
  reward: z
    .strictObject({
      type: z.enum(['equityChange', 'logReturn', 'profitScaled']).describe('What a step is rewarded for.'),
      scale: positive().describe('Factor of the whole reward.'),
      weights: z.record(z.string(), z.number()).describe("Weights of the reward's named terms."),
    })
    .describe('The reward.'),
  episode: z
    .strictObject({
      length: count().nullable().describe("Bars an episode; null: to the window's end."),
      minimum_length: count().describe('An episode starts only where at least this many bars are left.'),
      random_start: z.boolean().describe('Start at a random bar; false: at the first.'),
    })
    .describe('Episodes while training.'),
};

/** The market's configuration without the environment's id, as bundles hold it. */
export const marketSchema = z.strictObject(marketShape);
const marketEnv = z.strictObject({ id: z.literal('market'), ...marketShape });
const classicEnv = z.strictObject({ id: z.enum(CLASSIC_IDS) });

const date = () =>
  z
    .string()
    .refine(
      isInstant,
      'expected a date that exists, such as 2011-03-01 (00:00 UTC), or an instant with its offset such as 2011-03-01T14:30Z',
    )
    .nullable();

function isInstant(text: string): boolean {
  try {
    utcInstant(text, '');
    return true;
  } catch (error) {
    if (error instanceof OpenBellError) return false;
    throw error;
  }
}

const window = (what: string) =>
  z
    .strictObject({
      from: date().describe('First date of the window, included; null: from the first bar.'),
      to: date().describe('First date after the window; null: to the last bar.'),
    })
    .describe(what);

const data = z.strictObject({
  datasets: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      'Names of data sets (`openbell data list`), or paths to manifests or CSV files. One model learns them all.',
    ),
  train: window('Bars to learn from.'),
  validation: window('Bars to choose the best checkpoint on; null: the last one is taken.').nullable(),
  test: window('Bars to judge on; never touched while training. null: none are set apart.').nullable(),
  exclude: z
    .array(window('A stretch that is left out.'))
    .describe(
      'Stretches of the training window that training never sees, not even as warm-up: what follows one is warmed up anew.',
    ),
});

const span = (what: string) =>
  z
    .union([
      count(2),
      z.string().regex(/^[1-9]\d*(d|w|mo|y)$/, 'expected a number of bars, or a span such as 10d, 6w, 3mo or 2y'),
    ])
    .describe(`${what} A number of bars, or a span of the calendar: 10d, 6w, 3mo, 2y.`);

const walkForward = z.strictObject({
  scheme: z
    .enum(['rolling', 'anchored', 'combinatorial'])
    .describe(
      'rolling: every window learns from as many bars. anchored: from the first bar on. combinatorial: purged cross-validation.',
    ),
  train: span('What a window learns from; anchored: what the first one does.').nullable(),
  validation: span('What follows it, to choose the best checkpoint on; null: the last one is taken.').nullable(),
  test: span('What a window is judged on.').nullable(),
  step: span('From one test window to the next; null: as long as a test window.').nullable(),
  purge: z.int().min(0).describe('Bars that nobody uses between two parts of a window.'),
  embargo: z
    .int()
    .min(0)
    .describe('Further bars that nobody uses after a part that was judged on, before the next part begins.'),
  groups: count(2, 64).describe('combinatorial: into how many groups the bars are cut.'),
  test_groups: count(1, 32).describe('combinatorial: how many of them are judged on at a time.'),
});

const observation = z.strictObject({
  feature_set: z.enum(['v1']).describe('Which features the agent sees (docs/observation.md).'),
  warmup: z.int().min(0).describe('Bars that feed the indicators before the first decision of a segment.'),
});

const schedule = (what: string) =>
  z
    .union([
      positive(),
      z.strictObject({ schedule: z.literal('linear'), initial: positive(), final: notNegative().optional() }),
    ])
    .describe(`${what} A number, or {schedule: linear, initial, final} over the training's progress.`);

const agent = z.strictObject({
  preset: z
    .enum(['sb3', 'cleanrl'])
    .describe('Where the other keys of `agent` take their defaults from (docs/ppo.md).'),
  policy: z
    .strictObject({
      module: z
        .string()
        .min(1)
        .describe(
          'TypeScript or JavaScript file, relative to the one that names it, that builds the networks (docs/tfjs-engine.md).',
        ),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'expected a sha256 in hexadecimal digits')
        .nullable()
        .describe('Of the file with all that it imports: another one is refused. null: a run writes it down itself.'),
      kwargs: z.record(z.string(), z.unknown()).describe("Handed to the file's function, to vary it by experiment."),
    })
    .nullable()
    .describe('Networks of your own, for the tfjs engine; null: those of net_arch.'),
  learning_rate: schedule("Adam's learning rate."),
  n_steps: count(1, 1_048_576).describe('Steps a rollout, per environment.'),
  batch_size: count().describe('Rows a minibatch.'),
  n_epochs: count().describe('Passes over each rollout.'),
  gamma: fraction().describe('Discount factor.'),
  gae_lambda: fraction().describe('Bias against variance of the advantages.'),
  clip_range: schedule('Clipping of the probability ratio.'),
  clip_range_vf: schedule('Clipping of the value; null: none.').nullable(),
  value_clipping: z
    .enum(['clamped', 'pessimistic'])
    .describe('The value loss under clip_range_vf: of the clipped value alone, or the larger of both (CleanRL).'),
  normalize_advantage: z.boolean().describe('Normalise advantages in each minibatch.'),
  ent_coef: notNegative().describe('Weight of the entropy bonus.'),
  vf_coef: notNegative().describe('Weight of the value loss.'),
  max_grad_norm: positive().nullable().describe('Gradient clipping by the common norm; null: none.'),
  target_kl: positive().nullable().describe('Ends the epochs early where KL exceeds it; null: never.'),
  target_kl_scope: z
    .enum(['minibatch', 'epoch'])
    .describe('minibatch: checked before each step at 1.5 x target_kl. epoch: after each epoch at 1 x.'),
  net_arch: z
    .strictObject({
      pi: z.array(count(1, 65_536)).describe('Hidden layers of the actor, e.g. [64, 64].'),
      vf: z.array(count(1, 65_536)).describe('Hidden layers of the critic, e.g. [64, 64].'),
    })
    .describe('Hidden layers of the two separate networks.'),
  activation_fn: z.enum(['tanh', 'relu']).describe('Activation of the hidden layers.'),
  ortho_init: z.boolean().describe('Orthogonal initialisation.'),
  log_std_init: z.number().describe('Initial log standard deviation of continuous actions.'),
  adam_eps: positive().describe("Adam's epsilon."),
  normalize: z
    .strictObject({
      observation: z.boolean().describe('Normalise observations by their running mean and deviation.'),
      reward: z.boolean().describe('Scale rewards by the running deviation of the discounted return.'),
      clip_obs: positive().describe('Normalised observations are clipped here.'),
      clip_reward: positive().describe('Normalised rewards are clipped here.'),
      epsilon: positive().describe('Added to variances.'),
    })
    .nullable()
    .describe('Running normalisation of observations and rewards; null: off.'),
});

const fineTune = z.strictObject({
  bundle: z.string().min(1).describe('The bundle to begin from, relative to the file that names it.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected a sha256 in hexadecimal digits')
    .describe('Of the bundle: `openbell registry list` shows it. Another file is refused.'),
  kl_limit: positive().describe(
    'How far, in nats, the policy may get from the bundle’s: mean KL(bundle || policy) over recent observations.',
  ),
  kl_observations: count(1, 1_048_576).describe(
    'How many of the last decisions in the training window it is measured on.',
  ),
  halvings: z
    .int()
    .min(0)
    .max(30)
    .describe(
      'An update that goes beyond the limit is undone, and the learning rate halved; after so many halvings the next such update ends the training.',
    ),
  recent: z
    .strictObject({
      from: z
        .string()
        .refine(isInstant, 'expected a date that exists, such as 2011-03-01, or an instant with its offset')
        .describe('Bars of the training window from here on are the new ones.'),
      share: z.number().gt(0).lt(1).describe('Share of the episodes that take place in the new bars.'),
    })
    .nullable()
    .describe('How old and new bars are mixed; null: windows take turns as in any training.'),
});

const training = z.strictObject({
  total_timesteps: count().describe('Environment steps, all environments together, rounded up to whole rollouts.'),
  n_envs: count(1, 65_536).describe('Environments stepped together.'),
  evaluate_every: count()
    .nullable()
    .describe('Environment steps between evaluations on the validation window; null: only at the end.'),
  evaluate_episodes: count(1, 65_536).describe('Episodes an evaluation of a classic environment.'),
  checkpoint_every: count().describe('Environment steps between checkpoints.'),
  keep_checkpoints: z.int().min(0).describe('How many numbered checkpoints to keep besides last, previous and best.'),
  engine: z
    .enum(['simd', 'tfjs'])
    .describe('Which engine does the arithmetic of the policy. tfjs: slower by far, for networks of your own.'),
  tfjs_backend: z
    .enum(['cpu', 'wasm', 'native'])
    .describe(
      'Where the tfjs engine computes: in JavaScript, in WebAssembly, or by the optional @tensorflow/tfjs-node.',
    ),
  threads: z
    .int()
    .min(1)
    .max(2)
    .describe(
      '2: the critic learns on a thread of its own. The bits are the same, and a run may change it on resuming.',
    ),
  tensorboard: z.boolean().describe("Write TensorBoard's event file into the run's folder (docs/runs.md)."),
  fine_tune: fineTune
    .nullable()
    .describe(
      'Train a bundle’s policy further, within a limit of how far it may go (docs/retrain.md); null: from nothing.',
    ),
});

/** The whole file, every key present: what `loadExperiment` returns. */
export const experimentSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'expected letters, digits, dots, dashes and underscores')
    .describe("Names the folder under runs/. Default: the file's name."),
  description: z.string().describe('One sentence for whoever reads the run.'),
  seed: z.int().min(0).max(0xffffffff).describe('Seeds every random stream.'),
  sweep: z
    .strictObject({
      id: z.string().min(1).describe("The sweep's name and the hash of its definition."),
      trial: z.int().min(0).describe('Which trial, counted from 0.'),
      trials: count().describe('How many configurations were tried, pruned and failed ones included.'),
    })
    .nullable()
    .describe(
      'Written by `openbell sweep`: what this configuration was chosen from, so that statistics can correct for it.',
    ),
  env: z.discriminatedUnion('id', [marketEnv, classicEnv]).describe('The environment; `id` says which.'),
  data: data.nullable().describe('Bars of the market environment; null for the classic ones.'),
  observation: observation.nullable().describe('Observation of the market environment; null for the classic ones.'),
  agent: agent.describe("PPO's hyper-parameters, named as stable-baselines3 names them."),
  training: training.describe('The training run.'),
  walk_forward: walkForward
    .nullable()
    .describe('How `openbell walk-forward` cuts the bars into windows (docs/walk-forward.md); train ignores it.'),
});

export type ExperimentConfig = z.infer<typeof experimentSchema>;
export type MarketEnvConfig = z.infer<typeof marketEnv>;
export type DataConfig = z.infer<typeof data>;
export type ObservationConfig = z.infer<typeof observation>;
export type AgentConfig = z.infer<typeof agent>;
export type FineTuneConfig = z.infer<typeof fineTune>;
export type TrainingConfig = z.infer<typeof training>;
export type WalkForwardConfig = z.infer<typeof walkForward>;
export type DateWindow = DataConfig['train'];

// The schema and the types of env/ and agents/ name the same keys: the compiler refuses it where they drift.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
const marketKeys: Same<keyof MarketEnvConfig, keyof MarketConfig | 'id'> = true;
const agentKeys: Same<keyof AgentConfig, keyof PpoConfig | 'preset' | 'policy'> = true;
const marketFits: MarketEnvConfig extends MarketConfig ? true : never = true;
const agentFits: AgentConfig extends PpoConfig ? true : never = true;
void [marketKeys, agentKeys, marketFits, agentFits];
