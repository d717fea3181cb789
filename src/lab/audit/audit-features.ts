/** Do features know what comes later? Their bars are cut off and replaced, and they are computed again. */
import { sliceBars, type Bars } from '#env/market/bars.js';
import { computeFeatures, type ObservationSpec } from '#env/market/observation/index.js';
import { Findings, reportOf, type AuditCheck, type AuditReport } from './findings.js';
import { cutAfter, cutPlaces, otherAfter, otherBars, rebased } from './other-bars.js';

/** Features of one's own: columns in, (T,F) out. */
export interface FeatureSet {
  readonly name: string;
  /** F names, for what is found. */
  readonly features: readonly string[];
  /** Row t: what is known at the close of bar t. A segment's first bar is where it begins to know. */
  compute(bars: Bars): Float32Array | Float64Array;
}

export interface AuditFeaturesOptions {
  /** Bars of a segment before its first decision; what comes earlier is not looked at by the warm-up check. Default 300. */
  readonly warmup?: number;
  /** Bars after which all others are replaced or cut off; default 12, spread over the bars. */
  readonly cuts?: number;
  readonly seed?: number;
}

/** A feature moved by more than this share of its scale is no rounding of a long average. */
const WARMUP_TOLERANCE = 1e-6;
/** From here on the anchor's choice is what the policy sees. */
const WARMUP_LEAK = 0.05;
/** Bars looked at behind each anchor's warm-up. */
const WARMUP_BARS = 20;
const ANCHORS = 6;
/** Segments whose beginnings are looked at closely. */
const MOST_EDGES = 4;
/** Halving prices moves sums of logarithms in their last digits. */
const ADJUSTMENT_TOLERANCE = 1e-6;

export function featureSetOf(spec: ObservationSpec): FeatureSet {
  return {
    name: spec.name,
    features: spec.marketFeatures.map(({ name }) => name),
    compute: (bars) => computeFeatures(bars, bars.segments, spec),
  };
}

/**
 * Audits a feature set on bars. At every cut t, features up to t must be the same bits when the bars after t are others,
 * and when they are missing. Throws what `compute` throws.
 */
export function auditFeatures(set: FeatureSet, bars: Bars, options: AuditFeaturesOptions = {}): AuditReport {
  return reportOf(featureChecks(set, bars, options));
}

export function featureChecks(set: FeatureSet, bars: Bars, options: AuditFeaturesOptions): AuditCheck[] {
  const { warmup = 300, cuts = 12, seed = 1 } = options;
  const subject = `${set.name} on ${bars.source}`;
  const found = new Findings();
  const full = set.compute(bars);
  const places = [...new Set([...cutPlaces(0, bars.length - 1, cuts), ...edges(bars, warmup)])].filter(
    (t) => t < bars.length - 1,
  );
  for (const t of places) {
    compareRows(set, full, set.compute(otherAfter(bars, t, seed + t)), 0, t, (name, detail) =>
      found.leak('feature-future', name, `bars after ${stamp(bars, t)} were made others, and ${detail}`),
    );
    compareRows(set, full, set.compute(sliceBars(bars, 0, t + 1)), 0, t, (name, detail) =>
      found.leak('feature-future', name, `bars after ${stamp(bars, t)} were cut off, and ${detail}`),
    );
    compareRows(set, full, set.compute(cutAfter(bars, t, seed + t + 1)), 0, t, (name, detail) =>
      found.leak('feature-future', name, `only one other bar followed ${stamp(bars, t)}, and ${detail}`),
    );
  }
  for (const [k, { start, end }] of bars.segments.entries()) {
    if (bars.segments.length === 1) break;
    const apart = set.compute(otherBars(bars, (t) => t < start || t >= end, seed));
    compareRows(set, full, apart, start, end - 1, (name, detail) =>
      found.leak('feature-segment', name, `all bars outside segment ${k} were made others, and ${detail}`),
    );
  }
  const anchors = warmupFindings(set, bars, full, warmup, found);
  adjustmentFindings(set, bars, full, found);
  const bar = `${bars.length.toLocaleString('en')} bars`;
  const anchored =
    anchors === 0
      ? `fewer than ${warmup + WARMUP_BARS} bars in every segment`
      : `${anchors} anchors, warm-up ${warmup}`;
  return [
    ...found.table(['feature-future'], subject, `${3 * places.length} recomputations of ${bar}`),
    ...found.table(
      ['feature-segment'],
      subject,
      bars.segments.length === 1 ? 'one segment' : `${bars.segments.length} segments`,
    ),
    ...found.table(['feature-warmup'], subject, anchored),
    ...found.table(['feature-adjustment'], subject, 'prices and factors halved'),
  ];
}

/** Where features begin: what is filled in at a segment's start, or at the end of its warm-up, shows there alone. */
function edges({ segments, length }: Bars, warmup: number): number[] {
  const near = segments.slice(0, MOST_EDGES).flatMap(({ start }) => [0, 1, 4, 15, 45, warmup].map((k) => start + k));
  return near.filter((t) => t < length);
}

/** Says of each feature the first row in [from, to] where the two differ. */
function compareRows(
  { features }: FeatureSet,
  full: Float32Array | Float64Array,
  other: Float32Array | Float64Array,
  from: number,
  to: number,
  say: (name: string, detail: string) => void,
): void {
  const count = features.length;
  for (let i = 0; i < count; i++) {
    for (let t = from; t <= to; t++) {
      const [a, b] = [full[t * count + i], other[t * count + i]];
      if (Object.is(a, b)) continue;
      say(features[i], `the value ${to - t} bars before the cut became ${b}, not ${a}`);
      break;
    }
  }
}

/** How many anchors were tried. */
function warmupFindings(
  set: FeatureSet,
  bars: Bars,
  full: Float32Array | Float64Array,
  warmup: number,
  found: Findings,
): number {
  const count = set.features.length;
  let tried = 0;
  for (const { start, end } of bars.segments) {
    const room = end - start - warmup - WARMUP_BARS;
    if (room <= 0) continue;
    const scales = deviations(full, count, start + warmup, end);
    for (const anchor of cutPlaces(start + 1, start + 1 + room, ANCHORS)) {
      const to = anchor + warmup + WARMUP_BARS;
      // to the segment's end: what a set knows of the future is not to be taken for memory
      const own = set.compute({ ...sliceBars(bars, anchor, end), segments: [{ start: 0, end: end - anchor }] });
      tried += 1;
      for (let i = 0; i < count; i++) {
        for (let t = anchor + warmup; t < Math.min(to, end); t++) {
          const moved = Math.abs(full[t * count + i] - own[(t - anchor) * count + i]) / scales[i];
          if (moved <= WARMUP_TOLERANCE) continue;
          const message = `begun at ${stamp(bars, anchor)} instead, it differs by ${moved.toPrecision(2)} of its deviation after ${t - anchor} bars: take a longer warm-up`;
          if (moved > WARMUP_LEAK) found.leak('feature-warmup', set.features[i], message);
          else found.warn('feature-warmup', set.features[i], message);
        }
      }
    }
  }
  return tried;
}

function adjustmentFindings(set: FeatureSet, bars: Bars, full: Float32Array | Float64Array, found: Findings): void {
  const count = set.features.length;
  const other = set.compute(rebased(bars));
  const scales = deviations(full, count, 0, bars.length);
  for (let i = 0; i < count; i++) {
    for (let t = 0; t < bars.length; t++) {
      const [a, b] = [full[t * count + i], other[t * count + i]];
      if (Math.abs(a - b) <= ADJUSTMENT_TOLERANCE * Math.max(scales[i], 1e-300) || Object.is(a, b)) continue;
      found.leak(
        'feature-adjustment',
        set.features[i],
        `at ${stamp(bars, t)} it is ${a}, and would be ${b} had the prices been adjusted for one more split: it shows what happened later`,
      );
      break;
    }
  }
}

/** (F) standard deviations over rows [from, to); 1 for a constant. */
function deviations(values: Float32Array | Float64Array, count: number, from: number, to: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    let squares = 0;
    for (let t = from; t < to; t++) sum += values[t * count + i];
    const mean = sum / (to - from);
    for (let t = from; t < to; t++) squares += (values[t * count + i] - mean) ** 2;
    const deviation = Math.sqrt(squares / (to - from));
    return deviation > 0 ? deviation : 1;
  });
}

export function stamp(bars: Bars, t: number): string {
  return new Date(bars.openTimeMs[t]).toISOString().replace(':00.000Z', 'Z').replace('T00:00Z', '');
}
