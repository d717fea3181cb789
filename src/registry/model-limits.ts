/** What a bundle's evidence does not say: the limits that its model card names. */
import { counted, decimal } from '#src/report/format.js';
import { passedOver } from './gates.js';
import type { ManifestDraft } from './manifest.js';

/** Fewer seeds than this say little of how much the seed mattered. */
const FEW_SEEDS = 5;
/** Fewer trades than this are an anecdote. */
const FEW_TRADES = 30;

/** One sentence each; never empty. */
export function cardLimits(manifest: ManifestDraft): string[] {
  return [
    ...evidenceLimits(manifest),
    ...trainingLimits(manifest),
    ...gateLimits(manifest),
    ...marketLimits(manifest),
    ...codeLimits(manifest),
  ];
}

function evidenceLimits({ evaluation, windows }: ManifestDraft): string[] {
  if (evaluation === null)
    return [
      windows.test === null
        ? 'No bars were set apart to judge it on.'
        : 'It was not evaluated on its test window: nothing is known of how it does on bars that it never saw.',
    ];
  const { agent, window, verdict } = evaluation;
  const { bars, trades } = agent;
  return [
    ...(verdict.edge === 'evidence'
      ? ['Evidence of an edge on one test window is no proof of one, and edges wear off.']
      : ['There is no evidence of an edge.']),
    ...(window.inSample
      ? [
          'The window that it was judged on was seen in training, or in choosing the checkpoint: its figures flatter it.',
        ]
      : []),
    `It was judged on one window, ${window.from.slice(0, 10)} to ${window.to.slice(0, 10)}${typeof bars === 'number' ? ` (${counted(bars, 'bar')})` : ''}; another market may treat it otherwise.`,
    ...(typeof trades === 'number' && trades < FEW_TRADES
      ? [`It made ${trades === 0 ? 'no trade' : counted(trades, 'trade')} there: too few to tell skill from luck.`]
      : []),
  ];
}

function trainingLimits({ seeds, trials, data, windows, parent, market }: ManifestDraft): string[] {
  const { noise } = market;
  const noises = [noise.fill_price_bps, noise.observation, noise.cost, noise.delay, noise.price_bps];
  return [
    ...(data.some(({ synthetic }) => synthetic)
      ? ['It learned from SYNTHETIC bars, made by a generator: they say nothing of a real market.']
      : []),
    ...(seeds.length < FEW_SEEDS
      ? [
          `${seeds.length === 1 ? 'Only this seed was' : `Only ${seeds.length} seeds were`} trained: how much of the result is the luck of the seed is not known.`,
        ]
      : []),
    ...(trials !== null && trials.count > 1
      ? [
          `It was chosen from ${trials.count} configurations: the best of many looks good by luck alone, which the deflated Sharpe ratio corrects for.`,
        ]
      : []),
    ...(windows.validation === null ? ['No validation window chose its checkpoint: the last one was taken.'] : []),
    ...(parent === null ? [] : ['It was fine-tuned from another bundle, whose training bars it has seen too.']),
    ...(noises.every((deviation) => deviation === 0)
      ? ['It was trained without noise on prices, fills, costs or delays.']
      : []),
  ];
}

function gateLimits({ gates }: ManifestDraft): string[] {
  if (gates === null)
    return [
      'No gate was asked when the bundle was made: replay, look-ahead, doubled costs, noise and delays are untested.',
    ];
  const missing = gates.outcomes.filter(({ verdict }) => verdict === 'missing');
  const failed = gates.outcomes.filter(({ verdict, advisory }) => verdict === 'fail' && advisory);
  return [
    ...(missing.length === 0 ? [] : [`Not measured: ${missing.map(({ title, gate }) => title || gate).join(', ')}.`]),
    ...(failed.length === 0
      ? []
      : [`Not passed, though not asked for here: ${failed.map(({ title, gate }) => title || gate).join(', ')}.`]),
    ...passedOver(gates).map(({ gate, why }) => `The gate ${gate} was passed over by force: ${why}`),
  ];
}

function marketLimits({ market, instruments }: ManifestDraft): string[] {
  const { spread_bps: spread, slippage_bps: slippage } = market.costs;
  return [
    `Spread (${decimal(spread, 1)} bps) and slippage (${decimal(slippage, 1)} bps) are assumptions, not measurements; its orders are taken to move no price.`,
    ...(instruments.length === 1 ? ['It knows one symbol.'] : []),
    ...(market.exits.initial_stop === null && market.exits.trailing_stop === null
      ? ['No stop protects its positions: a loss is as deep as the market makes it.']
      : []),
  ];
}

function codeLimits({ provenance }: ManifestDraft): string[] {
  return provenance.dirty_patch_sha256 !== null && provenance.dirty_patch === null
    ? ['It was trained with changed code that the bundle does not hold: it may not be reproducible.']
    : [];
}
