import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cos, exp, log, log1p, normalQuantile, pow, sin, tanh } from '#env/math/index.js';
import { RandomStream } from '#env/seeding.js';

const math = { log, log1p, exp, tanh, sin, cos, normalQuantile, pow };

type Unary = 'log' | 'log1p' | 'exp' | 'tanh' | 'sin' | 'cos' | 'normalQuantile';
const UNARY: readonly Unary[] = ['log', 'log1p', 'exp', 'tanh', 'sin', 'cos', 'normalQuantile'];

/** Rows of arguments and, last, the correctly rounded value. */
const golden: Record<string, number[][]> = JSON.parse(
  readFileSync(new URL('../../test/golden/math.json', import.meta.url), 'utf8'),
);

const bits = new DataView(new ArrayBuffer(8));

/** Distance in units in the last place: the number of float64 values between a and b. */
function ulps(a: number, b: number): number {
  if (Object.is(a, b)) return 0;
  if (Number.isNaN(a) || Number.isNaN(b)) return Infinity;
  return Math.abs(Number(ordered(a) - ordered(b)));
}

/** An integer that grows with the number, one by one. */
function ordered(x: number): bigint {
  bits.setFloat64(0, x);
  const raw = bits.getBigInt64(0);
  return raw < 0n ? -(raw & 0x7fff_ffff_ffff_ffffn) : raw;
}

function call(name: string, args: readonly number[]): number {
  if (name === 'pow') return math.pow(args[0], args[1]);
  const unary = UNARY.find((candidate) => candidate === name);
  if (unary === undefined) throw new Error(`no function ${name}`);
  return math[unary](args[0]);
}

it('measures ulps across zero and powers of two', () => {
  expect(ulps(1, 1 + Number.EPSILON)).toBe(1);
  expect(ulps(1, 1 - Number.EPSILON / 2)).toBe(1);
  expect(ulps(5e-324, -5e-324)).toBe(2);
});

describe('against 60-digit arithmetic', () => {
  // AS 241 adds up polynomials of degree 7: a few more roundings than the others.
  const limits: Record<string, number> = { normalQuantile: 4 };
  it.each(Object.keys(golden))('%s is right to the last places', (name) => {
    const worst = Math.max(...golden[name].map((row) => ulps(call(name, row.slice(0, -1)), row[row.length - 1])));
    expect(worst).toBeLessThanOrEqual(limits[name] ?? 1);
  });
});

/** Deterministic arguments over the range where each function is used. */
function gridOf(name: string): number[] {
  const stream = new RandomStream(1, `math/${name}`);
  const range: Record<string, [number, number]> = {
    log: [1e-6, 1e6],
    log1p: [-0.999, 1000],
    exp: [-50, 50],
    tanh: [-10, 10],
    sin: [-100, 100],
    cos: [-100, 100],
    normalQuantile: [0, 1],
    pow: [0.5, 2],
  };
  const [low, high] = range[name];
  return Array.from({ length: 10_000 }, () => low + (high - low) * stream.uniform());
}

// The host is no better than 1 to 2 ulp itself, and not the same in all of its versions.
it.each([
  ['log', Math.log, 2],
  ['log1p', Math.log1p, 2],
  ['exp', Math.exp, 2],
  ['tanh', Math.tanh, 3],
  ['sin', Math.sin, 2],
  ['cos', Math.cos, 2],
] as const)('%s is as near to the host as the host is to the truth', (name, host, limit) => {
  const worst = Math.max(...gridOf(name).map((x) => ulps(math[name](x), host(x))));
  expect(worst).toBeLessThanOrEqual(limit);
});

describe('golden bits', () => {
  // The first half of the sha256 of 10,000 results each: another bit in any of them is a break with every earlier run.
  const hashes: Record<string, string> = {
    log: '6ef246190e7bc4dfdf44c4e68fd99b40',
    log1p: '2cf57cda8dde571858c8946f0bebfcb7',
    exp: '14ea5725134aa02ab0073514d5b0fd22',
    tanh: '552c8910ed7126f1446c314794d108f3',
    sin: 'eb37b6664b2882107be2e47cb1bcce42',
    cos: '19a5595a6f1442f54633cbe263e2621d',
    normalQuantile: '2abc86b935c0b054170f0686f86faf58',
    pow: '51f79612afbc4de37e106ad1a9752389',
  };
  it.each([...UNARY, 'pow'])('%s', (name) => {
    const results = Float64Array.from(gridOf(name), (x) => call(name, [x, 40 * x - 30]));
    expect(createHash('sha256').update(new Uint8Array(results.buffer)).digest('hex').slice(0, 32)).toBe(hashes[name]);
  });
});

describe('at the edges', () => {
  it('follows IEEE 754 and ECMAScript', () => {
    expect(math.log(0)).toBe(-Infinity);
    expect(math.log(-1)).toBeNaN();
    expect(math.log(1)).toBe(0);
    expect(math.log1p(-1)).toBe(-Infinity);
    expect(math.log1p(-0)).toBe(-0);
    expect(math.exp(-Infinity)).toBe(0);
    expect(math.exp(710)).toBe(Infinity);
    expect(math.exp(0)).toBe(1);
    expect(math.pow(0, 0)).toBe(1);
    expect(math.pow(-8, 1 / 3)).toBeNaN();
    expect(math.pow(-2, 3)).toBe(-8);
    expect(math.tanh(Infinity)).toBe(1);
    expect(math.tanh(-0)).toBe(-0);
    expect(math.sin(-0)).toBe(-0);
    expect(math.sin(Infinity)).toBeNaN();
    expect(math.cos(0)).toBe(1);
    for (const name of UNARY) expect(math[name](NaN)).toBeNaN();
  });

  it('gives the normal quantile of 0, 1 and what is no probability', () => {
    expect(math.normalQuantile(0)).toBe(-Infinity);
    expect(math.normalQuantile(1)).toBe(Infinity);
    expect(math.normalQuantile(0.5)).toBe(0);
    expect(math.normalQuantile(-0.1)).toBeNaN();
    expect(math.normalQuantile(1.1)).toBeNaN();
  });
});

it('knows the quantiles of the tables', () => {
  expect(math.normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 14);
  expect(math.normalQuantile(0.95)).toBeCloseTo(1.6448536269514722, 14);
  expect(math.normalQuantile(0.99)).toBeCloseTo(2.3263478740408408, 14);
  expect(math.normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 14);
});
