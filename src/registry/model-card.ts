/**
 * The model card: Markdown with YAML front matter whose keys are those of Hugging Face's model cards
 * (https://huggingface.co/docs/hub/model-cards). Rendered from the manifest alone: what it does not know, the card says
 * that it does not know.
 */
import { stringify } from 'yaml';
import { counted, decimal, MISSING, percent, range, whole } from '#src/report/format.js';
import { passedOver } from './gates.js';
import type { BundledEvaluation, BundledFigures, BundledInterval, BundledWindow, ManifestDraft } from './manifest.js';
import { actorName, figureOf, SHOWN_FIGURES, type ShownFigure } from './shown-figures.js';
import { cardLimits } from './model-limits.js';
import { marketWords } from './market-words.js';

export function modelCard(manifest: ManifestDraft): string {
  const sections = [
    `# ${plain(manifest.name)}`,
    headline(manifest),
    intendedUse(manifest),
    `## What it trades, and how\n\n${table(
      ['', ''],
      marketWords(manifest).map(([label, text]) => [label, plain(text)]),
    )}`,
    dataWindows(manifest),
    results(manifest),
    gates(manifest),
    `## Limits\n\n${cardLimits(manifest)
      .map((limit) => `- ${plain(limit)}`)
      .join('\n')}`,
    reproduction(manifest),
  ];
  return `---\n${frontMatter(manifest)}---\n\n${sections.join('\n\n')}\n`;
}

function frontMatter(manifest: ManifestDraft): string {
  const { evaluation, data, run } = manifest;
  const datasets = [...new Set(data.map(({ dataset }) => dataset))];
  const metrics = evaluation === null ? [] : SHOWN_FIGURES.flatMap((row) => metricOf(row, evaluation.agent));
  return stringify(
    {
      // whose model it is, and on what terms, only they can say
      license: 'unknown',
      library_name: 'openbell',
      pipeline_tag: 'reinforcement-learning',
      tags: [
        'openbell',
        'ppo',
        'trading',
        manifest.interval.label,
        ...manifest.instruments.map(({ symbol }) => symbol),
      ],
      datasets,
      ...(manifest.parent === null ? {} : { base_model: manifest.parent }),
      ...(evaluation === null
        ? {}
        : {
            'model-index': [
              {
                name: manifest.name,
                results: [
                  {
                    task: { type: 'reinforcement-learning', name: 'trading, held-out bars' },
                    dataset: {
                      name: `${datasets.join(', ')}, ${evaluation.windowName} window`,
                      type: datasets[0] ?? 'unknown',
                      args: { from: evaluation.window.from, to: evaluation.window.to },
                    },
                    metrics,
                  },
                ],
              },
            ],
          }),
      openbell: {
        experiment: run.experiment,
        seed: run.seed,
        timesteps: run.timesteps,
        weights_sha256: run.weights_sha256,
        verdict: evaluation?.verdict.headline ?? null,
        forced: manifest.gates !== null && passedOver(manifest.gates).length > 0,
        created_at: manifest.created_at,
      },
    },
    { lineWidth: 0 },
  );
}

function headline(manifest: ManifestDraft): string {
  const { evaluation, gates: report, description } = manifest;
  const forced = report === null ? [] : passedOver(report);
  const verdict =
    evaluation === null
      ? '**Not evaluated.** Nobody has judged this checkpoint on bars that it never saw.'
      : `**${capital(evaluation.verdict.headline)}.** ${plain(evaluation.verdict.sentence)}`;
  return [
    ...(description === '' ? [] : [plain(description)]),
    `> ${verdict}`,
    ...(forced.length === 0
      ? []
      : [
          `> **FORCED.** ${counted(forced.length, 'gate')} did not pass and ${forced.length === 1 ? 'was' : 'were'} passed over: ${forced.map(({ gate }) => plain(gate)).join(', ')}. The reason given: "${plain(report?.force_reason ?? '')}"`,
        ]),
  ].join('\n\n');
}

function intendedUse({ instruments, interval, evaluation, market }: ManifestDraft): string {
  const symbols = instruments.map(({ symbol }) => symbol).join(', ');
  const sure =
    evaluation?.verdict.edge === 'evidence'
      ? 'Its test window shows evidence of an edge, which is no promise that it lasts.'
      : 'It has shown no evidence of an edge: there is no reason to expect that it earns more than its costs.';
  return `## Intended use

To trade ${symbols} on bars of ${interval.label} with OpenBell's runner, under the rules, exits and costs below, first on paper. ${sure} Not for other symbols, intervals or rules: it has learned from these. It decides by the mode of its distribution and does not learn while it trades. ${market.direction === 'long_only' ? 'It never sells short. ' : ''}Nothing here is investment advice.`;
}

function dataWindows({ data, windows }: ManifestDraft): string {
  const span = ({ from, to }: BundledWindow): string => `${from ?? 'the first bar'} to ${to ?? 'the last bar'}`;
  const rows: [string, string, string][] = [
    ['train', span(windows.train), 'learned from'],
    [
      'validation',
      windows.validation === null ? 'none' : span(windows.validation),
      windows.validation === null ? 'the last checkpoint was taken' : 'the best checkpoint was chosen on it',
    ],
    ['test', windows.test === null ? 'none' : span(windows.test), 'kept apart, to judge on'],
    ...windows.exclude.map((own): [string, string, string] => ['left out', span(own), 'of the training window']),
  ];
  const sets = data.map((own) => [
    `${plain(own.dataset)}${own.synthetic ? ' (SYNTHETIC)' : ''}`,
    plain(`${own.symbol} ${own.interval}`),
    whole(own.bars),
    `${own.from.slice(0, 10)} to ${own.to.slice(0, 10)}`,
    code(own.sha256.slice(0, 16)),
  ]);
  return `## Data windows

A window ends before its last date.

${table(['window', 'bars that open in', 'what for'], rows)}

${table(['data set', 'bars of', 'bars', 'first and last', 'sha256'], sets)}`;
}

const signed = (figure: number | null): string => percent(figure, 1, true);

function metricOf(
  { label, key }: ShownFigure,
  figures: BundledFigures,
): { type: string; name: string; value: number }[] {
  const value = figureOf(figures, key);
  return value === null ? [] : [{ type: key, name: label, value }];
}

function results({ evaluation, seeds, run, trials }: ManifestDraft): string {
  if (evaluation === null)
    return '## Results\n\nNone: this checkpoint had not been evaluated on its test window when the bundle was made. `openbell evaluate RUN` does it.';
  const actors: [string, BundledFigures][] = [['agent', evaluation.agent], ...Object.entries(evaluation.baselines)];
  const rows = SHOWN_FIGURES.map(({ label, key, show }) => [
    label,
    ...actors.map(([, figures]) => show(figureOf(figures, key))),
  ]);
  const { window } = evaluation;
  return `## Results

On the ${plain(evaluation.windowName)} window, ${window.from.slice(0, 10)} to ${window.to.slice(0, 10)}${window.inSample ? ', **in sample**' : ', which training never saw'}, under the same costs, rules and exits for all.

${table(['', ...actors.map(([name]) => plain(actorName(name)))], rows)}

How sure:

${table(['', 'figure', 'interval', ''], certainty(evaluation))}

Verdict: **${plain(evaluation.verdict.headline)}**.
${evaluation.alarms.map(({ level, message }) => `\n- ${level === 'note' ? 'note' : '**ALARM**'}: ${plain(message)}`).join('')}${evaluation.alarms.length > 0 ? '\n' : ''}
Seed ${run.seed} of ${seeds.length === 1 ? 'one that was trained' : `${seeds.length} that were trained (${seedText(seeds)})`}; ${trials === null ? 'chosen from no sweep' : `chosen from ${counted(trials.count, 'configuration')} that ${trials.count === 1 ? 'was' : 'were'} tried`}.`;
}

function certainty({ statistics, agent }: BundledEvaluation): string[][] {
  const { sharpe, intervals, excessOverFlat, excessOverHold, randomRank, significance } = statistics;
  const interval = (found: BundledInterval | null, show: (figure: number) => string): string =>
    found === null ? MISSING : `${decimal(100 * found.confidence, 0)}%: ${range(found, show)}`;
  const deflated = significance?.deflated ?? null;
  return [
    ['Against cash', signed(excessOverFlat?.estimate ?? null), interval(excessOverFlat, signed), 'final wealth less 1'],
    [
      'Against buy-and-hold',
      signed(excessOverHold?.estimate ?? null),
      interval(excessOverHold, signed),
      'final wealth less 1',
    ],
    ['Sharpe ratio', decimal(figureOf(agent, 'sharpe')), interval(sharpe, decimal), 'a year, stationary bootstrap'],
    [
      'Max drawdown',
      signed(figureOf(agent, 'maxDrawdown')),
      interval(intervals['maxDrawdown'] ?? null, signed),
      'stationary bootstrap',
    ],
    ...(randomRank === null
      ? []
      : [
          [
            'Among random traders',
            `${randomRank.beaten} of ${randomRank.paths} beaten`,
            MISSING,
            `at matched turnover, p = ${randomRank.pValue.toFixed(3)}`,
          ],
        ]),
    ...(significance === null
      ? []
      : [['P(true Sharpe ratio over 0)', percent(significance.probabilisticSharpe), MISSING, 'PSR']]),
    ...(deflated === null
      ? []
      : [['The same, deflated', percent(deflated.probability), MISSING, `DSR over ${whole(deflated.trials)} trials`]]),
  ];
}

const seedText = (seeds: readonly number[]): string =>
  seeds.length <= 12 ? seeds.join(', ') : `${seeds.slice(0, 12).join(', ')}, ...`;

function gates({ gates: report }: ManifestDraft): string {
  if (report === null) return '## Gates\n\nNone had been asked when this bundle was made.';
  const rows = report.outcomes.map(({ gate, title, measured, threshold, verdict, forced, advisory, why }) => [
    plain(gate),
    plain(title),
    plain(measured ?? 'not measured'),
    plain(threshold),
    forced ? `**${verdict}, FORCED**` : advisory && verdict !== 'pass' ? `${verdict} (advisory)` : verdict,
    plain(why),
  ]);
  return `## Gates

Asked for ${code(report.to)} at ${report.judged_at}: ${report.passed ? (passedOver(report).length > 0 ? '**passed over with a reason**' : 'passed') : '**refused**'}.

${table(['gate', 'what is measured', 'measured', 'threshold', 'verdict', 'what it says'], rows)}`;
}

function reproduction({ run, provenance, parent, data, windows }: ManifestDraft): string {
  const patched = provenance.dirty_patch_sha256 !== null;
  const facts: [string, string][] = [
    ['Run', code(run.path)],
    ['Configuration, sha256', code(run.config_hash)],
    ['Checkpoint', `${plain(run.checkpoint)}, after ${whole(run.timesteps)} steps, seed ${run.seed}`],
    ['Weights, sha256', code(run.weights_sha256)],
    ['OpenBell', plain(provenance.openbell)],
    [
      'Commit',
      provenance.git_commit === null
        ? 'not known: it did not run from a clone'
        : `${code(provenance.git_commit)}${patched ? ` with changes (${provenance.dirty_patch === null ? 'too large to be kept' : 'kept in the bundle'}, sha256 ${code(provenance.dirty_patch_sha256.slice(0, 16))})` : ''}`,
    ],
    [
      'package-lock.json, sha256',
      provenance.lockfile_sha256 === null ? 'not known' : code(provenance.lockfile_sha256.slice(0, 16)),
    ],
    ...Object.entries(provenance.kernels).map(([name, hash]): [string, string] => [
      `${plain(name)}, sha256`,
      code(hash.slice(0, 16)),
    ]),
    ...(parent === null ? [] : [['Fine-tuned from the bundle', code(parent)] satisfies [string, string]]),
  ];
  const again =
    parent === null
      ? `The same configuration, data (${data.length === 1 ? 'its sha256 is' : 'their sha256 are'} above) and seed give the same weights to the bit:

\`\`\`
openbell replay ${run.path}          # where the run is still there
openbell registry export BUNDLE FOLDER
openbell train FOLDER/config.yaml${windows.test === null ? '' : ' --evaluate'}
\`\`\`

The new run's weights have the sha256 below.`
      : 'It was fine-tuned from another bundle, which must be there to do it again: `openbell registry show` names it.';
  return `## How to reproduce

${again}

${table(['', ''], facts)}`;
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Text of other people's, which must not become markup. */
const plain = (text: string): string =>
  text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replace(/[\\`*[\]<>|]/g, '\\$&')
    .replace(/_(?=\W|$)|(?<=\W|^)_/g, '\\_');

const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``;

/** A Markdown table; cells that hold markup of ours pass through. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => text.replace(/\s+/g, ' ').replace(/(?<!\\)\|/g, '\\|');
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---'))), ...rows.map(line)].join('\n');
}
