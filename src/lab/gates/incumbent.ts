/** The bundle that stands where another wants to: its policy, and which bars it has not seen. */
import type { Actor } from '#agents/actor.js';
import type { TradingWindow } from '#env/market/bars.js';
import { parseExperiment } from '#src/config/load.js';
import type { ExperimentConfig } from '#src/config/schema.js';
import { loadBundlePolicy, shortId, type Bundle } from '#src/registry/bundle.js';
import { wasSeen } from '../evaluate.js';

export interface Rival {
  readonly name: string;
  readonly sha256: string;
  readonly weightsSha256: string;
  readonly featureSet: string;
  readonly action: string;
  readonly policy: Actor;
  /** The windows without the bars that its training, or the choice of its checkpoint, saw; those stay in order. */
  unseen(windows: readonly TradingWindow[]): TradingWindow[];
  dispose(): void;
}

/** Fewer bars make no window. */
const FEWEST_BARS = 2;

/** @param bundle its `provenance.config_yaml` says what it was trained on */
export function openRival(alias: string, bundle: Bundle): Rival {
  const { policy, engine } = loadBundlePolicy(bundle);
  const { manifest, sha256 } = bundle;
  const { config } = parseExperiment(manifest.provenance.config_yaml, `${alias} ${shortId(sha256)} config.yaml`);
  return {
    name: `${alias} ${shortId(sha256).slice(0, 8)} (${manifest.name})`,
    sha256,
    weightsSha256: manifest.run.weights_sha256,
    featureSet: manifest.observation.feature_set,
    action: manifest.policy.action.kind,
    policy,
    unseen: (windows) =>
      windows.flatMap((window) => unseenParts(window, config, manifest.data, manifest.run.checkpoint)),
    dispose: () => engine.dispose(),
  };
}

/** What is left of a window bar by bar: stretches of bars that were not seen. */
function unseenParts(
  window: TradingWindow,
  config: ExperimentConfig,
  data: Parameters<typeof wasSeen>[2],
  checkpoint: string,
): TradingWindow[] {
  const saw = (start: number, end: number): boolean =>
    wasSeen({ windows: [{ ...window, start, end }] }, config, data, checkpoint);
  if (!saw(window.start, window.end)) return [window];
  const parts: TradingWindow[] = [];
  let start: number | null = null;
  for (let bar = window.start; bar <= window.end; bar++) {
    const isNew = bar < window.end && !saw(bar, bar + 1);
    if (isNew) start ??= bar;
    else if (start !== null) {
      if (bar - start >= FEWEST_BARS) parts.push({ ...window, start, end: bar });
      start = null;
    }
  }
  return parts;
}
