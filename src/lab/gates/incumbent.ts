/** The bundle that stands where another wants to: its policy, and which bars it has not seen. */
import type { Actor } from '#agents/actor.js';
import type { MarketConfig } from '#env/market/config.js';
import type { TradingWindow } from '#env/market/bars.js';
import { loadBundlePolicy, shortId, type Bundle } from '#src/registry/bundle.js';
import { lineageOf, type FindBundle, type Lineage } from './lineage.js';

export interface Rival {
  readonly name: string;
  readonly sha256: string;
  readonly weightsSha256: string;
  readonly featureSet: string;
  readonly action: string;
  readonly policy: Actor;
  /** The costs, rules, exits and sizes that it trades with. */
  readonly market: MarketConfig;
  /** The windows without the bars that it, or what it was fine-tuned from, has seen; those stay in order. */
  unseen(windows: readonly TradingWindow[]): TradingWindow[];
  dispose(): void;
}

/** Fewer bars make no window. */
const FEWEST_BARS = 2;

export function openRival(alias: string, bundle: Bundle, find: FindBundle): Rival {
  const { policy, engine } = loadBundlePolicy(bundle);
  const { manifest, sha256 } = bundle;
  const lineage = lineageOf(manifest, find);
  return {
    name: `${alias} ${shortId(sha256).slice(0, 8)}`,
    sha256,
    weightsSha256: manifest.run.weights_sha256,
    featureSet: manifest.observation.feature_set,
    action: manifest.policy.action.kind,
    policy,
    market: manifest.market,
    unseen: (windows) => windows.flatMap((window) => unseenParts(window, lineage)),
    dispose: () => engine.dispose(),
  };
}

/** What is left of a window bar by bar: stretches of bars that were not seen. */
function unseenParts(window: TradingWindow, lineage: Lineage): TradingWindow[] {
  if (!lineage.saw(window)) return [window];
  const parts: TradingWindow[] = [];
  let start: number | null = null;
  for (let bar = window.start; bar <= window.end; bar++) {
    const isNew = bar < window.end && !lineage.saw({ ...window, start: bar, end: bar + 1 });
    if (isNew) start ??= bar;
    else if (start !== null) {
      if (bar - start >= FEWEST_BARS) parts.push({ ...window, start, end: bar });
      start = null;
    }
  }
  return parts;
}
