/** Where the bars are cut: which windows learn, choose and judge. Nothing is trained here. */
import type { Bars, TradingWindow } from '#env/market/bars.js';
import { windowOf } from '#env/market/window.js';
import type { DataConfig, ExperimentConfig, WalkForwardConfig } from '#src/config/schema.js';
import { fail, OpenBellError } from '#src/errors.js';
import { trainingWindows, type TimeSpan } from '../exclude.js';
import { Clock, movedTime, type Length } from './clock.js';
import { combinatorialParts } from './combinatorial.js';

/** Positions [from, to) on the clock. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** One training's share of the clock. */
export interface Parts {
  readonly train: Part;
  readonly validation: Part | null;
  /** One, or the test groups of a combinatorial split. */
  readonly test: readonly Part[];
  /** Inside `train`, never seen. */
  readonly exclude: readonly Part[];
}

export interface PlannedWindow {
  /** "w01" and so on. */
  readonly name: string;
  /** What is trained: the experiment with the windows of this one. Its seed is the experiment's. */
  readonly config: ExperimentConfig;
  /** The bars that it is judged on, by test part. */
  readonly test: readonly { readonly span: TimeSpan; readonly windows: readonly TradingWindow[] }[];
  /** How many bars with a decision each part has, all data sets together. */
  readonly bars: { readonly train: number; readonly validation: number; readonly test: number };
}

export interface WalkForwardPlan {
  readonly scheme: WalkForwardConfig['scheme'];
  readonly windows: readonly PlannedWindow[];
  /**
   * What is stitched: one path of a walk-forward, several of a combinatorial one; of each test part the window whose
   * policy judges it, and which of that window's test parts it is.
   */
  readonly paths: readonly (readonly { readonly window: number; readonly part: number }[])[];
  /** Bars on the clock that no window is judged on: before the first test window, between, and at the end. */
  readonly unjudged: { readonly before: number; readonly between: number; readonly after: number };
}

const MOST_WINDOWS = 1000;

/**
 * Plans an experiment's windows over its bars. Throws CONFIG_VALUE where `walk_forward` cannot be meant, DATA_WINDOW
 * where the bars do not suffice, naming the window.
 */
export function planWalkForward(config: ExperimentConfig, bars: readonly Bars[]): WalkForwardPlan {
  const { walk_forward: definition, data, observation } = config;
  if (definition === null) {
    return fail('CONFIG_VALUE', {
      where: `${config.name} walk_forward`,
      value: null,
      message: 'say how the bars are cut, e.g. walk_forward: { train: 2y, validation: 6mo, test: 6mo }',
    });
  }
  if (config.env.id !== 'market' || data === null || observation === null) {
    return fail('CONFIG_VALUE', {
      where: `${config.name} env.id`,
      value: config.env.id,
      message: 'has no bars to walk over: only the market has',
    });
  }
  checkDefinition(definition);
  const clock = new Clock(bars, observation.warmup);
  const { parts, paths } =
    definition.scheme === 'combinatorial'
      ? combinatorialParts(clock.length, definition)
      : walkingParts(clock, definition);
  if (parts.length > MOST_WINDOWS) {
    refuse(
      'step',
      definition.step ?? definition.test,
      `makes ${parts.length} windows; at most ${MOST_WINDOWS}: take longer ones`,
    );
  }
  const digits = Math.max(2, String(parts.length).length);
  const windows = parts.map((own, k): PlannedWindow => {
    const name = `w${String(k + 1).padStart(digits, '0')}`;
    return windowOfParts(name, own, { config, data, warmup: observation.warmup, bars, clock, count: parts.length });
  });
  return { scheme: definition.scheme, windows, paths, unjudged: unjudgedOf(parts, clock.length) };
}

const refuse = (key: string, value: unknown, message: string): never =>
  fail('CONFIG_VALUE', { where: `walk_forward.${key}`, value, message });

function checkDefinition({
  scheme,
  train,
  validation,
  test,
  step,
  groups,
  test_groups,
  embargo,
}: WalkForwardConfig): void {
  if (scheme === 'combinatorial') {
    for (const [key, value] of Object.entries({ train, validation, test, step })) {
      if (value !== null)
        refuse(key, value, 'combinatorial splits are made of groups: leave it out, and say groups and test_groups');
    }
    if (test_groups >= groups) refuse('test_groups', test_groups, `must be fewer than groups, ${groups}`);
    return;
  }
  for (const [key, value] of Object.entries({ train, test })) {
    if (value === null) refuse(key, null, 'is needed: a number of bars, or a span such as 6mo');
  }
  if (embargo > 0 && validation === null)
    refuse(
      'embargo',
      embargo,
      'follows a part that was judged on, before a later part: here is none without a validation window',
    );
}

/** Rolling and anchored windows: train | purge | validation | purge, embargo | test. */
function walkingParts(
  clock: Clock,
  definition: WalkForwardConfig,
): { parts: Parts[]; paths: { window: number; part: number }[][] } {
  const { scheme, train, validation, test, purge, embargo } = definition;
  // checked above
  if (train === null || test === null) throw new Error('train and test are needed');
  const step = definition.step ?? test;
  const gap = validation === null ? purge : purge + embargo;
  const learned = clock.moved(0, train);
  const chosen = validation === null ? learned : clock.moved(learned + purge, validation);
  const parts: Parts[] = [];
  let testFrom = chosen + gap;
  while (testFrom < clock.length) {
    const own = testPart(clock, testFrom, test);
    if (own === null) break;
    const validationTo = testFrom - gap;
    const validationFrom = validation === null ? null : Math.max(0, clock.moved(validationTo, validation, -1));
    const trainTo = validationFrom === null ? testFrom - purge : validationFrom - purge;
    const trainFrom = scheme === 'anchored' ? 0 : Math.max(0, clock.moved(trainTo, train, -1));
    parts.push({
      train: { from: trainFrom, to: trainTo },
      validation: validationFrom === null ? null : { from: validationFrom, to: validationTo },
      test: [own],
      exclude: [],
    });
    const next = clock.moved(testFrom, step);
    if (next < own.to)
      refuse('step', step, `is shorter than the test window, ${String(test)}: bars would be judged on twice`);
    testFrom = next;
  }
  if (parts.length === 0) {
    fail('DATA_WINDOW', {
      where: 'walk_forward',
      value: clock.length,
      message: `so many bars with a decision are there, and the first test window would begin at bar ${testFrom} and need ${String(test)}: take shorter windows, or a shorter warm-up`,
    });
  }
  return { parts, paths: [parts.map((_, window) => ({ window, part: 0 }))] };
}

/** The last window takes what is left, if that is half a window or more. */
function testPart(clock: Clock, from: number, test: Length): Part | null {
  const to = clock.moved(from, test);
  if (to <= clock.length) return to - from >= 2 ? { from, to } : null;
  const share =
    typeof test === 'number'
      ? (clock.length - from) / test
      : (clock.endMs - clock.at(from)) / (movedTime(clock.at(from), test, 1) - clock.at(from));
  return share >= 0.5 && clock.length - from >= 2 ? { from, to: clock.length } : null;
}

interface Making {
  readonly config: ExperimentConfig;
  readonly data: DataConfig;
  readonly warmup: number;
  readonly bars: readonly Bars[];
  readonly clock: Clock;
  readonly count: number;
}

function windowOfParts(
  name: string,
  parts: Parts,
  { config, data, warmup, bars, clock, count }: Making,
): PlannedWindow {
  const spanAt = ({ from, to }: Part): TimeSpan => ({ fromMs: clock.at(from), toMs: clock.at(to) });
  const windowAt = (part: Part): { from: string; to: string } => {
    const { fromMs, toMs } = spanAt(part);
    return { from: instant(fromMs), to: instant(toMs) };
  };
  const isWalk = parts.test.length === 1 && parts.exclude.length === 0;
  const own: DataConfig = {
    ...data,
    train: windowAt(parts.train),
    validation: parts.validation === null ? null : windowAt(parts.validation),
    test: isWalk ? windowAt(parts.test[0]) : null,
    exclude: parts.exclude.map(windowAt),
  };
  return named(name, () => {
    for (const [key, part] of [['train', parts.train] as const, ['validation', parts.validation] as const]) {
      if (part !== null && part.to - part.from < 2) {
        fail('DATA_WINDOW', {
          where: key,
          value: config.walk_forward?.[key],
          message: `holds ${Math.max(0, part.to - part.from)} bars before ${instant(clock.at(part.to))}, perhaps a weekend: take a longer span, or a number of bars`,
        });
      }
    }
    const judged = parts.test.map((part) => {
      const span = spanAt(part);
      return { span, windows: bars.flatMap((series) => windowOf(series, span.fromMs, span.toMs, warmup)) };
    });
    const validation = parts.validation === null ? null : spanAt(parts.validation);
    const chosen =
      validation === null ? [] : bars.flatMap((series) => windowOf(series, validation.fromMs, validation.toMs, warmup));
    const { data: trimmed, windows: learned } = withoutScraps(own, bars, warmup, minimumOf(config));
    return {
      name,
      config: {
        ...config,
        name: `${config.name}.${name}`,
        description: `Window ${Number(name.slice(1))} of ${count} of the walk-forward of ${config.name}`,
        walk_forward: null,
        data: trimmed,
      },
      test: judged,
      bars: {
        train: barsIn(learned),
        validation: barsIn(chosen),
        test: barsIn(judged.flatMap(({ windows }) => windows)),
      },
    };
  });
}

/**
 * A window that begins shortly before a segment's end leaves a scrap there that is too short for an episode: it is
 * excluded, rather than refused when training begins.
 */
function withoutScraps(
  data: DataConfig,
  bars: readonly Bars[],
  warmup: number,
  minimumSteps: number,
): { data: DataConfig; windows: TradingWindow[] } {
  const windows = trainingWindows(bars, data, warmup);
  const isScrap = ({ start, end }: TradingWindow): boolean => end - 1 - start < minimumSteps;
  const scraps = windows.filter(isScrap);
  const whole = windows.filter((window) => !isScrap(window));
  if (whole.length === 0) {
    fail('DATA_WINDOW', {
      where: 'train',
      value: barsIn(windows),
      message: `no segment leaves the ${minimumSteps} steps that env.episode.minimum_length asks for: take a longer training window`,
    });
  }
  const exclude = scraps.map(({ bars: own, start, end }) => ({
    from: instant(own.openTimeMs[start]),
    to: instant(own.openTimeMs[end - 1] + 1),
  }));
  return { data: { ...data, exclude: [...data.exclude, ...exclude] }, windows: whole };
}

function minimumOf({ env }: ExperimentConfig): number {
  return env.id === 'market' ? env.episode.minimum_length : 1;
}

function unjudgedOf(parts: readonly Parts[], length: number): WalkForwardPlan['unjudged'] {
  const judged = new Uint8Array(length);
  for (const { test } of parts) for (const { from, to } of test) judged.fill(1, from, to);
  const before = judged.indexOf(1);
  const after = length - 1 - judged.lastIndexOf(1);
  const all = judged.reduce((sum, one) => sum + one, 0);
  return { before, between: length - before - after - all, after };
}

const barsIn = (windows: readonly TradingWindow[]): number =>
  windows.reduce((sum, { start, end }) => sum + end - start, 0);

/** The window is named where its bars do not suffice. */
function named<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof OpenBellError) || error.code !== 'DATA_WINDOW') throw error;
    return fail('DATA_WINDOW', {
      where: `walk_forward ${name}, ${error.where ?? ''}`,
      value: error.value,
      message: error.message.slice(error.message.indexOf(': ') + 2),
      cause: error,
    });
  }
}

/** As configurations write it: a date where it is midnight. */
export function instant(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z').replace('T00:00:00Z', '');
}
