/** A retraining for a terminal. */
import type { GateReport } from '#src/registry/gates.js';
import { counted, decimal, percent, whole } from '#src/report/format.js';
import { alignedLines, plainText } from '#src/report/text-table.js';
import { gatesText } from '#src/lab/gates/gates-text.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import type { Judged, Retraining } from '../retrain.js';
import { nameOf, type SeedResult } from './outcomes.js';
import type { RetrainPlan, Stretch } from './plan.js';
import type { RetrainSettings } from './settings.js';

/** What will be done. */
export function planText(alias: string, incumbent: Bundle, plan: RetrainPlan, settings: RetrainSettings): string[] {
  const { learned, heldOut, seeds, oldBars, config } = plan;
  const share =
    settings.recent_share === null ? '' : `, ${percent(settings.recent_share, 0)} of the episodes in the new`;
  const rows = [
    ['incumbent', `${nameOf(incumbent)} (${alias})`],
    ['learns from', `${stretchText(learned)}, and ${counted(oldBars, 'bar')} that the incumbent learned from${share}`],
    ['judged on', `${stretchText(heldOut)}, which neither has seen`],
    [
      'training',
      `${counted(seeds.length, 'seed')}, ${whole(config.training.total_timesteps)} steps each, learning rate x ${settings.learning_rate_factor}, KL at most ${settings.kl_limit}`,
    ],
    ['data', (config.data?.datasets ?? []).join(', ')],
    ['may move', settings.may_move.length === 0 ? 'nothing' : settings.may_move.join(', ')],
  ];
  return alignedLines(null, rows).map(plainText);
}

function stretchText({ from, to, days, bars }: Stretch): string {
  return `${counted(days, 'new day')}, ${from} to ${to} (${counted(bars, 'bar')})`;
}

export function retrainText({ alias, incumbent, plan, settings, judged }: Retraining): string[] {
  const head = [...planText(alias, incumbent, plan, settings), ''];
  if (judged === null) return [...head, 'Dry run: nothing was trained, and nothing moved.'];
  return [...head, ...figuresText(judged, alias), '', ...judged.reports.flatMap(reportText), ...endText(judged)].map(
    plainText,
  );
}

function figuresText({ figures }: Judged, alias: string): string[] {
  const { incumbent, seeds } = figures;
  const rows = seeds.map((seed, k) => seedRow(seed, k === 0 ? 'challenger' : ''));
  return [
    ...alignedLines(
      ['seed', 'KL', 'updates', 'return', 'against it', ''],
      [...rows, ['-', '0.0000', '-', percent(incumbent.totalReturn, 1, true), '', `incumbent (${alias})`]],
    ),
  ];
}

function seedRow({ seed, klToIncumbent, updates, totalReturn, excess }: SeedResult, note: string): string[] {
  return [
    String(seed),
    decimal(klToIncumbent, 4),
    whole(updates),
    percent(totalReturn, 1, true),
    percent(excess, 1, true),
    note,
  ];
}

/** What live would refuse is asked when somebody promotes to it. Of a second alias that passed one line says enough. */
function reportText(report: GateReport, index: number): string[] {
  const { passed, outcomes, to } = report;
  if (index > 0 && passed)
    return [`PASSED for ${to}, by its own gates too: ${outcomes.filter(({ advisory }) => !advisory).length}.`, ''];
  return [...gatesText(report, { canForce: false, advice: false }), ''];
}

function endText({ bundle, changes, stayed, reports, directory }: Judged): string[] {
  const passed = reports.every((report) => report.passed);
  const moved = changes.map(({ alias, from, to }) =>
    from === to
      ? `${alias} -> ${shortId(to)}, where it pointed already`
      : `${alias} -> ${shortId(to)}${from === null ? '' : `, before it ${shortId(from)} (openbell rollback ${alias} goes back)`}`,
  );
  const kept = changes.length > 0 || !passed ? [] : ['Nothing may move by itself (may_move).'];
  return [
    ...moved,
    ...kept,
    ...stayed,
    ...(bundle === null && !passed ? ['Nothing was moved.'] : []),
    `run ${directory}`,
  ];
}
