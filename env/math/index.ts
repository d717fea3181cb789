/**
 * log, exp, pow, tanh, sin, cos and the normal quantile, in float64, with the same bits everywhere. V8's own
 * change between versions, so that env/ and agents/ may not use them (a lint rule keeps it so).
 */
import { wasmBase64 } from './math.wasm.js';
import { instantiateKernel } from './wasm.js';

interface MathKernel {
  log(x: number): number;
  log1p(x: number): number;
  exp(x: number): number;
  pow(x: number, y: number): number;
  tanh(x: number): number;
  sin(x: number): number;
  cos(x: number): number;
  normalQuantile(p: number): number;
}

export const { log, log1p, exp, pow, tanh, sin, cos, normalQuantile } = instantiateKernel<MathKernel>(
  wasmBase64,
  new WebAssembly.Memory({ initial: 1 }),
);
