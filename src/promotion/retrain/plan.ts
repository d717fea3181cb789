/** What a retraining learns from, what it is judged on, and the configuration that comes of it. */
import path from 'node:path';
import { firstBarAtOrAfter, type Bars } from '#env/market/bars.js';
import { calendarNamed } from '#env/market/calendar.js';
import { utcInstant, windowsOf } from '#env/market/window.js';
import type { PpoConfig } from '#agents/ppo/config.js';
import { parseExperiment } from '#src/config/load.js';
import type { DataConfig, ExperimentConfig } from '#src/config/schema.js';
import { configYaml } from '#src/config/show.js';
import { DAY_MS } from '#src/data/interval.js';
import { loadDataset } from '#src/data/load.js';
import { partUntil } from '#src/data/part.js';
import { fail } from '#src/errors.js';
import { trainingWindows } from '#src/lab/exclude.js';
import { loadTogether } from '#src/lab/world.js';
import { shortId, type Bundle } from '#src/registry/bundle.js';
import type { BundleManifest } from '#src/registry/manifest.js';
import type { RetrainSettings } from './settings.js';

export interface RetrainPlan {
  /** Of the first seed. */
  readonly config: ExperimentConfig;
  readonly seeds: readonly number[];
  /** New bars that are learned from. */
  readonly learned: Stretch;
  /** The last of them, which judge. */
  readonly heldOut: Stretch;
  /** Bars that the incumbent learned from, and that are learned from again. */
  readonly oldBars: number;
}

/** Bars that open in [from, to). */
export interface Stretch {
  /** As a configuration writes it: a date or an instant. */
  readonly from: string;
  readonly to: string;
  readonly days: number;
  /** Over all symbols. */
  readonly bars: number;
}

export interface PlanOptions {
  readonly incumbent: Bundle;
  /** The bundle's file. */
  readonly bundleFile: string;
  /** Names or paths of data sets that hold newer bars. */
  readonly datasets: readonly string[];
  readonly settings: RetrainSettings;
}

/**
 * Throws DATA_ errors, DATA_HASH where the incumbent's data is not what it was, USAGE for bars that it does not trade,
 * and GATE_REFUSED where there are too few new days.
 */
export async function planRetraining(options: PlanOptions): Promise<RetrainPlan> {
  const { incumbent, bundleFile, settings } = options;
  const { manifest } = incumbent;
  const { config: base } = parseExperiment(
    manifest.provenance.config_yaml,
    `bundle ${shortId(incumbent.sha256)} config.yaml`,
  );
  const data = dataOf(base);
  const fresh = await loadFresh(options.datasets, manifest);
  const datasets = await combined(data, fresh, manifest);
  const bars = await loadTogether(datasets, 'data.datasets');
  const ends = spansSeen(data, manifest);
  const symbols = new Set(fresh.map((own) => own.bars.instrument.symbol));
  const newer = bars.filter(({ instrument }) => symbols.has(instrument.symbol));
  const days = daysFrom(newer, ends.seenMs);
  const { held_out_days: heldDays, new_days_at_least: least } = settings;
  const sinceText = instantText(ends.seenMs);
  if (days.length < heldDays + least)
    fail('GATE_REFUSED', {
      where: 'openbell retrain',
      value: days.length,
      message:
        `there are ${days.length} new days since ${sinceText}, which is as far as the incumbent has seen; ${heldDays} judge and at least ${least} are learned from, ` +
        `so that ${heldDays + least - days.length} more are needed. Nothing was trained`,
    });
  const [first] = days;
  const held = days[days.length - heldDays];
  const endMs = Math.max(...newer.map((own) => own.openTimeMs[own.length - 1] + own.interval.ms));
  const recentFrom = instantText(first.firstMs);
  const gap = bars.some((own) => countBetween(own, ends.trainedMs, first.firstMs) > 0)
    ? [{ from: instantText(ends.trainedMs), to: recentFrom }]
    : [];
  const config: ExperimentConfig = {
    ...base,
    name: `${base.name.replace(/-retrain$/, '')}-retrain`,
    description: `Fine-tuned from ${manifest.name} ${shortId(incumbent.sha256)} on the days since ${recentFrom}`,
    data: {
      datasets,
      train: { from: data.train.from, to: instantText(held.firstMs) },
      validation: null,
      test: { from: instantText(held.firstMs), to: instantText(endMs) },
      exclude: [...data.exclude, ...gap],
    },
    agent: { ...base.agent, learning_rate: scaled(base.agent.learning_rate, settings.learning_rate_factor) },
    training: {
      ...base.training,
      total_timesteps: settings.timesteps,
      evaluate_every: null,
      fine_tune: {
        bundle: path.resolve(bundleFile),
        sha256: incumbent.sha256,
        kl_limit: settings.kl_limit,
        kl_observations: settings.kl_observations,
        halvings: settings.halvings,
        recent: settings.recent_share === null ? null : { from: recentFrom, share: settings.recent_share },
      },
    },
  };
  // what would fail in every training is said before any begins
  trainingWindows(bars, dataOf(config), config.observation?.warmup ?? 0);
  windowsOf(bars, held.firstMs, endMs, config.observation?.warmup ?? 0);
  const stretch = (fromMs: number, toMs: number, dayCount: number): Stretch => ({
    from: instantText(fromMs),
    to: instantText(toMs),
    days: dayCount,
    bars: newer.reduce((sum, own) => sum + countBetween(own, fromMs, toMs), 0),
  });
  const fromMs = data.train.from === null ? -Infinity : utcInstant(data.train.from, 'data.train.from');
  return {
    // as the run will read it
    config: parseExperiment(configYaml({ config, origins: new Map() }), 'retrain').config,
    seeds: Array.from({ length: settings.seeds }, (_, k) => (base.seed + k) % 2 ** 32),
    learned: stretch(first.firstMs, held.firstMs, days.length - heldDays),
    heldOut: stretch(held.firstMs, endMs, heldDays),
    oldBars: bars.reduce((sum, own) => sum + countBetween(own, fromMs, Math.min(ends.trainedMs, first.firstMs)), 0),
  };
}

/** A bundle is of the market, which has data. */
function dataOf({ data }: ExperimentConfig): DataConfig {
  if (data === null) throw new Error('the bundle names no data');
  return data;
}

interface Named {
  readonly name: string;
  readonly bars: Bars;
}

/** Throws USAGE where they are not bars that the bundle trades. */
async function loadFresh(
  datasets: readonly string[],
  { instruments, interval, calendar }: BundleManifest,
): Promise<Named[]> {
  const fresh: Named[] = [];
  const refuse = (value: string, message: string): never => fail('USAGE', { where: '--data', value, message });
  const traded = instruments.map(({ symbol }) => symbol);
  for (const name of datasets) {
    const bars = await loadDataset(name);
    const { symbol } = bars.instrument;
    if (!traded.includes(symbol)) refuse(name, `holds ${symbol}; the incumbent trades ${traded.join(', ')}`);
    if (bars.interval.ms !== interval.ms || bars.calendar !== calendar)
      refuse(
        name,
        `holds bars of ${bars.interval.label} (${bars.calendar}); the incumbent trades bars of ${interval.label} (${calendar})`,
      );
    const twin = fresh.find((other) => other.bars.instrument.symbol === symbol);
    if (twin !== undefined) refuse(name, `holds ${symbol}, as ${twin.name} does: name one data set a symbol`);
    fresh.push({ name, bars });
  }
  return fresh;
}

/**
 * The incumbent's data sets and the newer ones, each bar once: a newer set that reaches back as far takes the place of
 * the older one, another one cuts it short where it begins itself. Throws DATA_HASH.
 */
async function combined(data: DataConfig, fresh: readonly Named[], manifest: BundleManifest): Promise<string[]> {
  const kept: string[] = [];
  for (const [index, name] of data.datasets.entries()) {
    const bundled = manifest.data[index];
    const successor = fresh.find(({ bars }) => bars.instrument.symbol === bundled.symbol)?.bars ?? null;
    const beginsMs = successor === null ? Infinity : successor.openTimeMs[0];
    if (beginsMs <= Date.parse(bundled.from)) continue;
    const old = await loadDataset(name);
    if (old.sha256 !== bundled.sha256)
      fail('DATA_HASH', {
        where: name,
        value: old.sha256,
        message: `the incumbent learned from other bars under this name (${bundled.sha256}): restore them`,
      });
    kept.push(old.openTimeMs[old.length - 1] >= beginsMs ? partUntil(name, instantText(beginsMs)) : name);
  }
  return [...kept, ...fresh.map(({ name }) => name)];
}

/** How far training reached, and how far the incumbent has seen anything: what chose its checkpoint too. */
function spansSeen({ train, validation }: DataConfig, manifest: BundleManifest): { trainedMs: number; seenMs: number } {
  const endMs = Math.max(...manifest.data.map(({ to }) => Date.parse(to))) + manifest.interval.ms;
  const until = (to: string | null): number => (to === null ? endMs : Math.min(endMs, utcInstant(to, 'data')));
  const trainedMs = until(train.to);
  return { trainedMs, seenMs: validation === null ? trainedMs : Math.max(trainedMs, until(validation.to)) };
}

interface TradingDay {
  readonly dayId: number;
  /** Open of its first bar. */
  readonly firstMs: number;
}

/** The days of the calendar on which any of them has bars, from an instant on. */
function daysFrom(all: readonly Bars[], fromMs: number): TradingDay[] {
  const days = new Map<number, number>();
  for (const bars of all) {
    const calendar = calendarNamed(bars.calendar);
    for (let t = firstBarAtOrAfter(bars, fromMs); t < bars.length; t++) {
      const timeMs = bars.openTimeMs[t];
      const session = bars.interval.ms >= DAY_MS ? null : calendar.sessionAt(timeMs);
      const dayId = session?.dayId ?? Math.floor(timeMs / DAY_MS);
      days.set(dayId, Math.min(days.get(dayId) ?? Infinity, timeMs));
    }
  }
  return [...days].map(([dayId, firstMs]) => ({ dayId, firstMs })).sort((a, b) => a.dayId - b.dayId);
}

function countBetween(bars: Bars, fromMs: number, toMs: number): number {
  return Math.max(0, firstBarAtOrAfter(bars, toMs) - firstBarAtOrAfter(bars, fromMs));
}

/** 2020-03-02, or 2020-03-02T14:30Z where the time of day says something: as configurations write it. */
function instantText(timeMs: number): string {
  return new Date(timeMs)
    .toISOString()
    .replace(/T00:00:00\.000Z$|(:00)?\.000Z$/, (end) => (end.startsWith('T') ? '' : 'Z'));
}

function scaled(rate: PpoConfig['learning_rate'], factor: number): ExperimentConfig['agent']['learning_rate'] {
  if (typeof rate === 'number') return rate * factor;
  const { schedule, initial, final } = rate;
  return { schedule, initial: initial * factor, ...(final === undefined ? {} : { final: final * factor }) };
}
