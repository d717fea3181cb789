/** Which bars a bundle's policy knows: those of its own training, and of every bundle that it was fine-tuned from. */
import type { TradingWindow } from '#env/market/bars.js';
import { parseExperiment } from '#src/config/load.js';
import { shortId, type Bundle, type BundleContents } from '#src/registry/bundle.js';
import { wasSeen } from '../evaluate.js';

/** The bundle of a sha256; null: it is not to be had. */
export type FindBundle = (sha256: string) => Bundle | null;

export interface Lineage {
  /** Whether training, or the choice of a checkpoint, saw bars of the window. Unknown forebears may have seen anything. */
  saw(window: TradingWindow): boolean;
  /** sha256 of a forebear that is not to be had; null: all are known. */
  readonly unknown: string | null;
}

type Manifest = BundleContents['manifest'];

export function lineageOf(manifest: Manifest, find: FindBundle): Lineage {
  const known: Manifest[] = [manifest];
  let unknown: string | null = null;
  for (let { parent } = manifest; parent !== null;) {
    const bundle = find(parent);
    if (bundle === null) {
      unknown = parent;
      break;
    }
    known.push(bundle.manifest);
    ({ parent } = bundle.manifest);
  }
  const schools = known.map(({ provenance, data, run, name }) => ({
    config: parseExperiment(provenance.config_yaml, `config.yaml of ${name} ${shortId(run.weights_sha256)}`).config,
    data,
    checkpoint: run.checkpoint,
  }));
  return {
    unknown,
    saw: (window) =>
      unknown !== null ||
      schools.some(({ config, data, checkpoint }) => wasSeen({ windows: [window] }, config, data, checkpoint)),
  };
}
