/**
 * Features of a million bars: seconds, memory of this process, and how long the indicator library takes to load.
 * `npm run bench env` runs it: node dist/bench/features.js [bars]
 */
const loadStart = performance.now();
await import('technicalindicators');
const loadMs = performance.now() - loadStart;

const { RandomStream } = await import('#env/seeding.js');
const { computeFeatures } = await import('#env/market/observation/index.js');

const count = Number(process.argv[2] ?? 1_000_000);
const stream = new RandomStream(1, 'bench/features');
const column = (): Float64Array => new Float64Array(count);
const bars = { open: column(), high: column(), low: column(), close: column(), volume: column() };
let price = 100;
for (let t = 0; t < count; t++) {
  const close = price * (1 + 0.001 * stream.normal());
  bars.open[t] = price;
  bars.close[t] = close;
  bars.high[t] = Math.max(price, close) * 1.0005;
  bars.low[t] = Math.min(price, close) * 0.9995;
  bars.volume[t] = stream.integer(100_000);
  price = close;
}

const start = performance.now();
const features = computeFeatures(bars, [{ start: 0, end: count }]);
const seconds = (performance.now() - start) / 1000;
const peakMb = process.resourceUsage().maxRSS / 1024;
console.log(
  JSON.stringify({
    bars: count,
    values: features.length,
    seconds: Number(seconds.toFixed(3)),
    peakMb: Math.round(peakMb),
    loadMs: Math.round(loadMs),
  }),
);
