/** Environments alone on one thread: MarketEnv with and without noise, the classic tasks, features of a million bars. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { interleaveChildren, openbellChild } from './child.js';
import { ACCOUNTS, WORLDS } from './env-worlds.js';
import type { Section } from './report.js';
import { median } from './sampling.js';
import { FEATURE_TARGETS, MARKET_TARGETS, type Verdict } from './targets.js';

interface Effort {
  readonly rounds: number;
  /** Of one stretch. */
  readonly seconds: number;
}

/** Seconds a vector step of each world, one sample a round. */
async function stepSeconds({ rounds, seconds }: Effort): Promise<number[][]> {
  const children = WORLDS.map(() => openbellChild());
  try {
    for (const [index, child] of children.entries()) await child.ask({ do: 'env', index, seconds });
    return await interleaveChildren<number>(children, () => ({ do: 'step' }), rounds);
  } finally {
    for (const child of children) child.close();
  }
}

export async function env(effort: Effort & { readonly bars: number }): Promise<Section> {
  const samples = await stepSeconds(effort);
  const { bars } = effort;
  const millions = (secondsAStep: number): number => ACCOUNTS / secondsAStep / 1e6;
  const verdicts: Verdict[] = WORLDS.flatMap(({ name, judged }, k) =>
    judged === undefined
      ? []
      : [
          {
            what: `${name}: ${ACCOUNTS} accounts, one thread`,
            unit: 'million steps/s' as const,
            target: MARKET_TARGETS[judged],
            sense: 'at least' as const,
            measured: millions(median(samples[k])),
          },
        ],
  );
  const features = featuresOf(bars);
  verdicts.push(
    {
      what: `features of ${bars.toLocaleString('en')} bars: time`,
      unit: 's',
      target: FEATURE_TARGETS.seconds,
      sense: 'under',
      measured: features.seconds,
    },
    {
      what: `features of ${bars.toLocaleString('en')} bars: peak memory of the process`,
      unit: 'GB',
      target: FEATURE_TARGETS.gigabytes,
      sense: 'under',
      measured: features.peakMb / 1024,
    },
  );
  return {
    name: 'env',
    title: `Environments, ${ACCOUNTS} side by side on one thread`,
    columns: ['environment', 'million steps/s', 'fastest'],
    rows: WORLDS.map(({ name }, k) => [
      name,
      millions(median(samples[k])).toFixed(2),
      millions(Math.min(...samples[k])).toFixed(2),
    ]),
    notes: [
      `Features of ${bars.toLocaleString('en')} bars: ${features.seconds.toFixed(2)} s, ${features.peakMb} MB in all; loading the indicator library takes ${features.loadMs} ms.`,
    ],
    verdicts,
    samples: {
      secondsAStep: Object.fromEntries(WORLDS.map(({ name }, k) => [name, samples[k]])),
      accounts: ACCOUNTS,
      features,
    },
  };
}

interface Features {
  readonly bars: number;
  readonly seconds: number;
  readonly peakMb: number;
  readonly loadMs: number;
}

/** In a process of its own, since peak memory is a process's. */
function featuresOf(bars: number): Features {
  const script = fileURLToPath(new URL('features.js', import.meta.url));
  const child = spawnSync(process.execPath, [script, String(bars)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${script} failed: ${child.stderr}`);
  return JSON.parse(child.stdout);
}
