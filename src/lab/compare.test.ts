import { describe, expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';
import { renderComparison } from '#src/report/compare-html.js';
import { compareText } from '#src/report/compare-text.js';
import { compareGroups } from './compare.js';
import { configDifferences, flatConfig } from './compare-config.js';
import { equityFans } from './compare-equity.js';
import type { CompareGroup, CompareRow, RowEquity } from './compare-table.js';

const DAY_MS = 86_400_000;

/** Daily accounts with the given drift a bar; the luck of the seeds is small, that of the bars is shared. */
function accountOf(seed: number, drift: number, bars: number, fromMs = 0): RowEquity {
  const own = new RandomStream(seed, 'test/account');
  const market = new RandomStream(1, 'test/market');
  let equity = 1000;
  return {
    initialEquity: 1000,
    timeMs: Float64Array.from({ length: bars }, (_, t) => fromMs + t * DAY_MS),
    equity: Float64Array.from({ length: bars }, () => {
      equity *= 1 + drift + 0.004 * market.normal() + 0.0005 * own.normal();
      return equity;
    }),
    hold: null,
  };
}

interface Made {
  readonly sharpes: readonly number[];
  readonly drift?: number;
  readonly tasks?: readonly string[];
  readonly config?: object;
  readonly inSample?: boolean;
  readonly bars?: string;
  readonly length?: number;
}

function groupOf(name: string, made: Made): CompareGroup {
  const { sharpes, drift = 0, tasks = ['all'], config = {}, inSample = false, bars = 'SPY', length = 250 } = made;
  const rows = sharpes.flatMap((sharpe, k) =>
    tasks.map((task): CompareRow => ({
      experiment: name,
      run: `${name}/s${k}`,
      seed: k + 1,
      task,
      metrics: { sharpe, totalReturn: sharpe / 10, costsShare: 0.01 * k, trades: k },
      equity: accountOf(k + 1, drift, length),
    })),
  );
  return {
    name,
    source: name,
    rows,
    judged: tasks.map((task) => ({ task, identity: `${bars} ${task}`, label: `${bars} ${task}` })),
    remarks: [],
    runs: sharpes.map((_, k) => ({
      run: `${name}/s${k}`,
      seed: k + 1,
      config: flatConfig({ env: { id: 'market', costs: { spread_bps: 1 } }, seed: k, ...config }),
      configHash: 'c0ffee',
      checkpoint: 'best',
      timesteps: 1000,
      code: '0.1.0',
      inSample,
      synthetic: false,
      edge: 'none',
      curves: [{ title: 'Validation score', steps: [10, 20, 30], values: [k, k + 1, k + 2], markedStep: null }],
    })),
  };
}

const HIGH = [2, 2.1, 1.9, 2.2, 2.05];
const LOW = [1, 1.1, 0.9, 1.2, 1.05];
const resamples = 2000;

describe('the verdict', () => {
  it('is better where seeds and bars both say so', () => {
    const [contrast] = compareGroups([groupOf('a', { sharpes: HIGH, drift: 0.002 }), groupOf('b', { sharpes: LOW })], {
      resamples,
    }).contrasts;
    expect(contrast).toMatchObject({
      group: 'a',
      baseline: 'b',
      outcome: 'better',
      headline: 'a is better in this window',
    });
    expect(contrast.probability.estimate).toBe(1);
    expect(contrast.difference.estimate).toBeCloseTo(1, 10);
    expect(contrast.bars?.low).toBeGreaterThan(0);
    expect(contrast.sentence).toMatch(
      /^a is better than b in this window: a run of a beats one of b with probability 100%/,
    );
  });

  it('is worse the other way round', () => {
    const groups = [groupOf('b', { sharpes: LOW }), groupOf('a', { sharpes: HIGH, drift: 0.002 })];
    expect(compareGroups(groups, { resamples }).contrasts[0]).toMatchObject({ group: 'b', outcome: 'worse' });
  });

  it('calls a difference that only seeds support perhaps the luck of the bars', () => {
    const [contrast] = compareGroups([groupOf('a', { sharpes: HIGH }), groupOf('b', { sharpes: LOW })], {
      resamples,
    }).contrasts;
    expect(contrast.outcome).toBe('repeatable');
    expect(contrast.sentence).toContain('whichever the seed, but the bars are too few');
  });

  it('shows no difference between equals, and never claims one for a single lucky seed', () => {
    const same = compareGroups([groupOf('a', { sharpes: LOW }), groupOf('b', { sharpes: LOW })], { resamples });
    expect(same.contrasts[0]).toMatchObject({ outcome: 'undecided', probability: { estimate: 0.5 } });
    const lucky = groupOf('a', { sharpes: [9, 1, 1.1, 0.9, 1] });
    expect(compareGroups([lucky, groupOf('b', { sharpes: LOW })], { resamples }).contrasts[0].outcome).toBe(
      'undecided',
    );
  });

  it('says when seeds are too few, and that one run has no interval', () => {
    const model = compareGroups([groupOf('a', { sharpes: [2], drift: 0.002 }), groupOf('b', { sharpes: LOW })], {
      resamples,
    });
    expect(model.contrasts[0].outcome).toBe('too-few-seeds');
    expect(model.contrasts[0].sentence).toContain('(1 and 5; at least 5 are needed)');
    expect(model.contrasts[0].sentence).toContain('which one run cannot bound');
    expect(model.groups[0].metrics['sharpe']?.interval).toBeNull();
    expect(model.notices.map(({ code }) => code)).toContain('seeds');
  });

  it.each([
    ['bars', { bars: 'AAPL' }, 'judged on other bars'],
    ['in-sample', { inSample: true }, 'judged on bars that training had seen'],
    ['market', { config: { env: { id: 'market', costs: { spread_bps: 9 } } } }, 'judged under other costs or rules'],
    ['environment', { config: { env: { id: 'CartPole-v1' } } }, 'trained in another environment'],
  ])('refuses to judge what differs in its %s', (code, more, words) => {
    const a = groupOf('a', { sharpes: HIGH, drift: 0.002, ...more });
    const model = compareGroups([a, groupOf('b', { sharpes: LOW })], { resamples });
    expect(model.notices.filter(({ level }) => level === 'warning').map((own) => own.code)).toContain(code);
    expect(model.contrasts[0]).toMatchObject({ outcome: 'not-comparable', headline: 'not comparable' });
    expect(model.contrasts[0].sentence).toContain(words);
  });

  it('asks more of each of several comparisons', () => {
    const groups = ['a', 'b', 'c', 'd'].map((name) => groupOf(name, { sharpes: LOW }));
    const { contrasts } = compareGroups(groups, { resamples, baseline: 'b' });
    expect(contrasts.map(({ group, baseline }) => `${group}-${baseline}`)).toEqual(['a-b', 'c-b', 'd-b']);
    expect(contrasts[0].probability.confidence).toBeCloseTo(1 - 0.05 / 3, 12);
    expect(contrasts[0].sentence).toContain('98.3% interval');
  });

  it('judges each pair for itself: a third group under other costs takes nothing from the first two', () => {
    const odd = groupOf('odd', { sharpes: LOW, config: { env: { id: 'market', costs: { spread_bps: 9 } } } });
    const groups = [groupOf('a', { sharpes: HIGH, drift: 0.002 }), odd, groupOf('b', { sharpes: LOW })];
    const { contrasts, selection } = compareGroups(groups, { resamples });
    expect(contrasts.map(({ outcome }) => outcome)).toEqual(['better', 'not-comparable']);
    expect(selection).toBeNull();
  });

  it('takes lower costs for better', () => {
    const dear = groupOf('dear', { sharpes: LOW });
    const cheap = groupOf('cheap', { sharpes: LOW });
    const rows = cheap.rows.map((row) => ({ ...row, metrics: { ...row.metrics, costsShare: -1 } }));
    const [contrast] = compareGroups([{ ...cheap, rows }, dear], { resamples, metric: 'costsShare' }).contrasts;
    expect(contrast.probability.estimate).toBe(1);
    expect(contrast.sentence).toContain('Costs, of equity differs by −102.00%');
  });
});

describe('choosing the best', () => {
  it('of groups without skill is mostly luck, and is not shown for two', () => {
    const two = [groupOf('a', { sharpes: LOW }), groupOf('b', { sharpes: LOW })];
    expect(compareGroups(two, { resamples }).selection).toBeNull();
    const skilled = ['a', 'b', 'c'].map((name, k) => groupOf(name, { sharpes: LOW, drift: k === 1 ? 0.003 : 0 }));
    const { selection } = compareGroups(skilled, { resamples });
    expect(selection).toMatchObject({ groups: 3, best: 'b', pbo: 0, splits: 12_870 });
    expect(selection?.deflatedSharpe).toBeGreaterThan(0.9);
    const equal = ['a', 'b', 'c'].map((name) => groupOf(name, { sharpes: LOW }));
    expect(compareGroups(equal, { resamples }).selection?.pbo).toBe(1);
    const short = ['a', 'b', 'c'].map((name) => groupOf(name, { sharpes: LOW, length: 30 }));
    expect(compareGroups(short, { resamples }).selection).toBeNull();
  });
});

describe('figures', () => {
  it('are interquartile means over seeds and tasks, whose runs are drawn together', () => {
    const tasks = ['AAPL', 'MSFT'];
    const model = compareGroups([groupOf('a', { sharpes: HIGH, tasks }), groupOf('b', { sharpes: LOW, tasks })], {
      by: 'symbol',
      resamples,
    });
    expect(model.tasks).toEqual(tasks);
    expect(model.groups[0].metrics['sharpe']).toMatchObject({ values: 10, missing: 0, least: 1.9, most: 2.2 });
    expect(model.rows).toHaveLength(20);
    const alone = compareGroups([groupOf('a', { sharpes: HIGH }), groupOf('b', { sharpes: LOW })], { resamples });
    const width = (own: typeof model): number => {
      const interval = own.groups[0].metrics['sharpe']?.interval;
      return (interval?.high ?? 0) - (interval?.low ?? 0);
    };
    // two symbols that agree to the last digit are no more evidence than one
    expect(width(model)).toBeGreaterThan(0.7 * width(alone));
  });

  it('count a run that never traded as cash, and say how many have no figure', () => {
    const a = groupOf('a', { sharpes: HIGH });
    const idle = a.rows.map((row, k) =>
      k === 0
        ? { ...row, metrics: { ...row.metrics, sharpe: null, totalReturn: 0, winRate: null } }
        : { ...row, metrics: { ...row.metrics, winRate: 0.5 } },
    );
    const { groups } = compareGroups([{ ...a, rows: idle }, groupOf('b', { sharpes: LOW })], { resamples });
    expect(groups[0].metrics['sharpe']).toMatchObject({ values: 5, missing: 0, least: 0 });
    expect(groups[0].metrics['winRate']).toMatchObject({ values: 4, missing: 1 });
  });

  it('compare on common tasks alone, and say what was left out', () => {
    const a = groupOf('a', { sharpes: HIGH, tasks: ['2020', '2021'] });
    const b = groupOf('b', { sharpes: LOW, tasks: ['2021', '2022'] });
    const model = compareGroups([a, b], { by: 'window', resamples });
    expect(model.tasks).toEqual(['2021']);
    expect(model.notices.filter(({ code }) => code === 'tasks')).toHaveLength(2);
    expect(() => compareGroups([groupOf('a', { sharpes: HIGH, tasks: ['x'] }), b])).toThrow(/nothing in common/);
  });

  it('refuse a lone group, a name used twice, an unknown baseline and metric', () => {
    const a = groupOf('a', { sharpes: HIGH });
    const b = groupOf('b', { sharpes: LOW });
    expect(() => compareGroups([a])).toThrow(/USAGE compare .*nothing to compare with/);
    expect(() => compareGroups([a, a])).toThrow(/two groups have this name/);
    expect(() => compareGroups([a, b], { baseline: 'c' })).toThrow(/USAGE --baseline "c": is none of the groups: a, b/);
    expect(() => compareGroups([a, b], { metric: 'sharp' })).toThrow(/did you mean "sharpe"/);
    expect(() => compareGroups([a, b], { metric: 'trades' })).toThrow(/neither better nor worse/);
  });
});

describe('what differs', () => {
  it('names each key with a value a group, and not the seed', () => {
    const a = groupOf('a', { sharpes: LOW, config: { agent: { gamma: 0.9, net: [64, 64] }, name: 'x' } });
    const b = groupOf('b', { sharpes: LOW, config: { agent: { gamma: 0.99, net: [64, 64] }, name: 'y' } });
    expect(configDifferences([a, b])).toEqual([{ key: 'agent.gamma', values: ['0.9', '0.99'] }]);
  });

  it('says that a group mixes configurations', () => {
    const a = groupOf('a', { sharpes: LOW, config: { agent: { gamma: 0.9 } } });
    const b = groupOf('b', { sharpes: LOW, config: { agent: { gamma: 0.9 } } });
    const mixed = {
      ...a,
      runs: a.runs.map((run, k) =>
        k === 0 ? { ...run, configHash: 'other', config: new Map([...run.config, ['agent.gamma', '0.5']]) } : run,
      ),
    };
    const model = compareGroups([mixed, b], { resamples });
    expect(model.differences).toEqual([{ key: 'agent.gamma', values: ['0.5 | 0.9', '0.9'] }]);
    expect(model.notices.map(({ code }) => code)).toContain('mixed');
  });
});

describe('equity fans', () => {
  it('chain the windows of a seed, each from where the one before ended', () => {
    const window = (task: string, seed: number, fromMs: number): CompareRow => ({
      experiment: 'a',
      run: `${task}-${seed}`,
      seed,
      task,
      metrics: { sharpe: 1 },
      equity: { ...accountOf(seed, 0.001, 10, fromMs), hold: new Float64Array(10).fill(1000) },
    });
    const rows = [1, 2].flatMap((seed) => [window('w2', seed, 10 * DAY_MS), window('w1', seed, 0)]);
    const group = { ...groupOf('a', { sharpes: [1, 1] }), rows };
    const [fan] = equityFans([group], ['w1', 'w2'], 'window');
    expect(fan.seeds).toHaveLength(2);
    expect(fan.timeMs).toHaveLength(20);
    const alone = accountOf(1, 0.001, 10).equity[9] / 1000;
    expect(fan.seeds[0][9]).toBeCloseTo(alone - 1, 12);
    expect(fan.seeds[0][19]).toBeCloseTo(alone * alone - 1, 12);
    expect(fan.hold?.[19]).toBe(0);
  });

  it('keep the earlier of windows that overlap', () => {
    const row = (task: string, fromMs: number): CompareRow => ({
      experiment: 'a',
      run: task,
      seed: 1,
      task,
      metrics: {},
      equity: accountOf(1, 0.001, 10, fromMs),
    });
    const group = { ...groupOf('a', { sharpes: [1] }), rows: [row('w1', 0), row('w2', 5 * DAY_MS)] };
    const [fan] = equityFans([group], ['w1', 'w2'], 'window');
    expect(fan.timeMs).toHaveLength(15);
    expect([...fan.timeMs].every((time, t) => t === 0 || time > fan.timeMs[t - 1])).toBe(true);
  });
});

describe('text and page', () => {
  const model = compareGroups(
    [
      groupOf('new <b>', { sharpes: HIGH, drift: 0.002, config: { agent: { gamma: 0.9 } } }),
      groupOf('old', { sharpes: LOW, config: { agent: { gamma: 0.99 } } }),
    ],
    { resamples },
  );

  it('begin with what differs and end with the verdict', () => {
    const text = compareText(model);
    const at = [
      'What differs',
      'agent.gamma',
      'Interquartile mean',
      'P(beats)',
      'Verdict: new <b> is better in this window',
    ].map((part) => text.indexOf(part));
    expect(at.every((index) => index >= 0)).toBe(true);
    expect(at.toSorted((x, y) => x - y)).toEqual(at);
    expect(text).not.toMatch(/NaN|undefined|null/);
  });

  it('is one file that loads nothing, escapes names, and is the same to the byte', async () => {
    const html = await renderComparison(model);
    expect(html).toBe(await renderComparison(model));
    expect(html).toContain('new &lt;b&gt;');
    expect(html).not.toContain('new <b>');
    expect(html.replaceAll(/\sxmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(
      /(?:src|href)\s*=\s*["']?(?!#)|https?:\/\/|@import/,
    );
    for (const title of [
      'What differs',
      'Figures',
      'Who beats whom',
      'Learning curves',
      'Equity',
      'Drawdown',
      'Performance profile',
      'Probability of improvement',
      'Every run',
    ])
      expect(html).toContain(`<h2>${title}</h2>`);
    expect(html).not.toMatch(/NaN|undefined/);
  });
});
