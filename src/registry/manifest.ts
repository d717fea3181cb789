/**
 * What a bundle says of itself: all that trading needs of a run beside its tensors, and all that is known of where it
 * came from. Nothing in it depends on the machine that made it. docs/registry.md describes each key.
 */
import * as z from 'zod';
import type { Interval } from '#env/market/bars.js';
import type { MarketConfig } from '#env/market/config.js';
import type { Instrument } from '#env/market/instrument.js';
import type { FeatureSetName } from '#env/market/observation/specification.js';
import type { PolicySpec } from '#agents/policy/contract.js';
import { marketSchema } from '#src/config/schema.js';
import { fail } from '#src/errors.js';
import { gateReportSchema, type GateReport } from './gates.js';

/** A data set that training saw, by its hash. */
export interface BundledData {
  /** As the configuration names it. */
  readonly dataset: string;
  readonly symbol: string;
  readonly interval: string;
  readonly bars: number;
  /** Opens of its first and last bar; UTC, ISO 8601. */
  readonly from: string;
  readonly to: string;
  /** Made by a generator, not by a market. */
  readonly synthetic: boolean;
  readonly sha256: string;
}

/** Bars that open in [from, to); null: from the first, to the last. */
export interface BundledWindow {
  readonly from: string | null;
  readonly to: string | null;
}

export interface BundledInterval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

/** Figures of one account by name: see src/stats/performance.ts. */
export type BundledFigures = Readonly<Record<string, number | boolean | null>>;

/** metrics.json of the evaluation on the test window, as far as it is read here; the rest is kept as it was. */
export interface BundledEvaluation {
  readonly windowName: string;
  readonly weightsSha256: string;
  readonly window: {
    readonly from: string;
    readonly to: string;
    /** Training, or the choice of the checkpoint, saw bars of it. */
    readonly inSample: boolean;
  };
  readonly verdict: { readonly edge: string; readonly headline: string; readonly sentence: string };
  readonly alarms: readonly { readonly level: string; readonly message: string }[];
  readonly statistics: {
    readonly sharpe: BundledInterval | null;
    readonly intervals: Readonly<Record<string, BundledInterval | null>>;
    readonly excessOverFlat: BundledInterval | null;
    readonly excessOverHold: BundledInterval | null;
    readonly randomRank: { readonly paths: number; readonly beaten: number; readonly pValue: number } | null;
    readonly significance: {
      readonly probabilisticSharpe: number;
      readonly deflated: { readonly probability: number; readonly trials: number } | null;
    } | null;
  };
  readonly agent: BundledFigures;
  readonly baselines: Readonly<Record<string, BundledFigures>>;
}

export interface BundleManifest {
  readonly name: string;
  readonly description: string;
  /** UTC, ISO 8601. */
  readonly created_at: string;
  /** sha256 of the bundle that it was fine-tuned from; null: it was trained from nothing. */
  readonly parent: string | null;
  /** Where it came from. */
  readonly run: {
    /** "experiment/run" */
    readonly path: string;
    readonly experiment: string;
    readonly seed: number;
    readonly config_hash: string;
    readonly checkpoint: string;
    readonly timesteps: number;
    readonly weights_sha256: string;
  };
  /** All seeds that this configuration was trained with to the end when the bundle was made, its own among them. */
  readonly seeds: readonly number[];
  /** Configurations that were tried before this one was chosen; null: it comes from no sweep. */
  readonly trials: {
    readonly count: number;
    /** Standard deviation of their annualised Sharpe ratios; null: not known. */
    readonly sharpe_deviation: number | null;
  } | null;
  readonly observation: { readonly feature_set: FeatureSetName; readonly hash: string; readonly warmup: number };
  readonly interval: Interval;
  readonly calendar: string;
  readonly instruments: readonly Instrument[];
  /** Actions, sleeves, sizing, rules, exits, costs; noise, reward and episodes as it was trained with. */
  readonly market: MarketConfig;
  readonly policy: PolicySpec;
  readonly data: readonly BundledData[];
  readonly windows: {
    readonly train: BundledWindow;
    /** null: no bars were set apart for it. */
    readonly validation: BundledWindow | null;
    readonly test: BundledWindow | null;
    readonly exclude: readonly BundledWindow[];
  };
  /** The configuration as YAML, and what ran it. */
  readonly provenance: {
    readonly config_yaml: string;
    readonly git_commit: string | null;
    /** How the code differed from its commit; null: it did not, or by more than a bundle has room for. */
    readonly dirty_patch: string | null;
    /** Of that difference, whether there was room for it or not; null: there was none. */
    readonly dirty_patch_sha256: string | null;
    readonly lockfile_sha256: string | null;
    readonly openbell: string;
    /** sha256 by WebAssembly module. */
    readonly kernels: Readonly<Record<string, string>>;
  };
  /** On the test window, when the bundle was made; null: there was none of this checkpoint. */
  readonly evaluation: BundledEvaluation | null;
  /** What it was made to pass; null: no gate had been asked. Later reports stand in the history. */
  readonly gates: GateReport | null;
  /** Markdown with YAML front matter, as of its birth. */
  readonly model_card: string;
}

/** A manifest before its model card is written, which tells the rest of it. */
export type ManifestDraft = Omit<BundleManifest, 'model_card'>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha256 in 64 hexadecimal digits');
/** As an experiment's: it names files. */
const fileName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'expected letters, digits, dots, dashes and underscores');
const stamp = z.iso.datetime();
const count = z.int().min(0);
const sizes = z.array(z.int().min(1));
const window = z.strictObject({ from: z.string().nullable(), to: z.string().nullable() });
const estimate = z.looseObject({ estimate: z.number(), low: z.number(), high: z.number(), confidence: z.number() });
const figures = z.record(z.string(), z.union([z.number(), z.boolean(), z.null()]));

const evaluation: z.ZodType<BundledEvaluation> = z.looseObject({
  windowName: z.string(),
  weightsSha256: sha256,
  window: z.looseObject({ from: stamp, to: stamp, inSample: z.boolean() }),
  verdict: z.looseObject({ edge: z.string(), headline: z.string(), sentence: z.string() }),
  alarms: z.array(z.looseObject({ level: z.string(), message: z.string() })),
  statistics: z.looseObject({
    sharpe: estimate.nullable(),
    intervals: z.record(z.string(), estimate.nullable()),
    excessOverFlat: estimate.nullable(),
    excessOverHold: estimate.nullable(),
    randomRank: z.looseObject({ paths: count, beaten: count, pValue: z.number() }).nullable(),
    significance: z
      .looseObject({
        probabilisticSharpe: z.number(),
        deflated: z.looseObject({ probability: z.number(), trials: count }).nullable(),
      })
      .nullable(),
  }),
  agent: figures,
  baselines: z.record(z.string(), figures),
});

const manifestSchema: z.ZodType<BundleManifest> = z.strictObject({
  name: fileName,
  description: z.string(),
  created_at: stamp,
  parent: sha256.nullable(),
  run: z.strictObject({
    path: z.string().min(1),
    experiment: fileName,
    seed: count,
    config_hash: sha256,
    checkpoint: z.string().min(1),
    timesteps: count,
    weights_sha256: sha256,
  }),
  seeds: z.array(count).min(1),
  trials: z.strictObject({ count: z.int().min(1), sharpe_deviation: z.number().nullable() }).nullable(),
  observation: z.strictObject({ feature_set: z.enum(['v1']), hash: z.string().min(1), warmup: count }),
  interval: z.strictObject({ label: z.string().min(1), ms: z.int().min(1) }),
  calendar: z.string().min(1),
  instruments: z
    .array(
      z.strictObject({
        symbol: z.string().min(1),
        securityType: z.enum(['STK', 'CASH', 'IND']),
        currency: z.string().min(1),
        exchange: z.string().min(1),
        ticks: z.array(z.strictObject({ lowEdge: z.number().min(0), increment: z.number().gt(0) })).min(1),
        lotSize: z.number().gt(0),
      }),
    )
    .min(1),
  market: marketSchema,
  policy: z.strictObject({
    observationSize: z.int().min(1),
    action: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('discrete'), n: z.int().min(2) }),
      z.strictObject({ kind: z.literal('box'), size: z.int().min(1) }),
    ]),
    netArch: z.strictObject({ pi: sizes, vf: sizes }),
    activation: z.enum(['tanh', 'relu']),
    orthoInit: z.boolean(),
    logStdInit: z.number(),
  }),
  data: z.array(
    z.strictObject({
      dataset: z.string().min(1),
      symbol: z.string().min(1),
      interval: z.string().min(1),
      bars: z.int().min(1),
      from: stamp,
      to: stamp,
      synthetic: z.boolean(),
      sha256,
    }),
  ),
  windows: z.strictObject({
    train: window,
    validation: window.nullable(),
    test: window.nullable(),
    exclude: z.array(window),
  }),
  provenance: z.strictObject({
    config_yaml: z.string(),
    git_commit: z.string().nullable(),
    dirty_patch: z.string().nullable(),
    dirty_patch_sha256: sha256.nullable(),
    lockfile_sha256: sha256.nullable(),
    openbell: z.string(),
    kernels: z.record(z.string(), sha256),
  }),
  evaluation: evaluation.nullable(),
  gates: gateReportSchema.nullable(),
  model_card: z.string(),
});

/** metrics.json as a bundle holds it. Throws RUN_STATE naming the key that is not what an evaluation writes. */
export function parseEvaluation(value: unknown, file: string): BundledEvaluation {
  const parsed = evaluation.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  return fail('RUN_STATE', {
    where: file,
    value: path.map(String).join('.'),
    message: `is not what an evaluation writes (${message}): evaluate the run again`,
  });
}

/** Throws BUNDLE_CORRUPT naming the first key that is missing, not known or of another type. */
export function parseManifest(value: unknown, file: string): BundleManifest {
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue.path.map(String).join('.');
  return fail('BUNDLE_CORRUPT', {
    where: file,
    value: key === '' ? 'manifest' : `manifest.${key}`,
    message: `its manifest is not what a bundle holds (${issue.message}): promote the run again`,
  });
}
