/** Between the flat parameter vector and the kernels' panels, whose padding is 0 and stays 0. */
import { firstTerm, secondTerm } from '../checksum.js';
import { PANEL, roundUp } from './kernels.js';
import type { PolicyMemory } from './memory.js';

/** From panels at `region` to the flat layout. */
export function readFlat(memory: PolicyMemory, flat: Float32Array, region: number): void {
  copy(memory, flat, region, true);
}

/** From the flat layout to panels at `region`; the padding stays as it is (0). */
export function writeFlat(memory: PolicyMemory, flat: Float32Array, region: number): void {
  copy(memory, flat, region, false);
}

// Every update reads all of it: plain loops, panel by panel, are ten times as fast as a callback for each element.
function copy(memory: PolicyMemory, flat: Float32Array, region: number, reading: boolean): void {
  const { f32, layout, actor, critic } = memory;
  for (const { layers } of [actor, critic]) {
    for (const { layer, weight, bias, inputs, outputs } of layers) {
      const panel = roundUp(inputs, PANEL) * PANEL;
      for (let first = 0; first < outputs; first += PANEL) {
        const width = Math.min(PANEL, outputs - first);
        let at = (region + weight) / 4 + (first / PANEL) * panel;
        let offset = layer.weight.offset + first;
        for (let i = 0; i < inputs; i++, at += PANEL, offset += outputs) {
          if (reading) for (let o = 0; o < width; o++) flat[offset + o] = f32[at + o];
          else for (let o = 0; o < width; o++) f32[at + o] = flat[offset + o];
        }
      }
      range(f32, (region + bias) / 4, flat, layer.bias.offset, outputs, reading);
    }
  }
  const logStd = layout.logStd;
  if (logStd !== null) range(f32, (region + memory.logStd) / 4, flat, logStd.offset, logStd.size, reading);
}

function range(
  f32: Float32Array,
  at: number,
  flat: Float32Array,
  offset: number,
  size: number,
  reading: boolean,
): void {
  if (reading) for (let k = 0; k < size; k++) flat[offset + k] = f32[at + k];
  else for (let k = 0; k < size; k++) f32[at + k] = flat[offset + k];
}

/**
 * checksum.ts of each tensor in the layout's order, read as it lies at `region`: out (2 x tensors). Allocates nothing,
 * since it runs after every update.
 */
export function checksumsIn(memory: PolicyMemory, out: Uint32Array, region: number): void {
  const { i32, layout } = memory;
  let slot = 0;
  for (const layers of [memory.actor.layers, memory.critic.layers]) {
    for (const { weight, bias, inputs, outputs } of layers) {
      panelsChecksum(i32, (region + weight) >>> 2, inputs, outputs, out, 2 * slot);
      rangeChecksum(i32, (region + bias) >>> 2, outputs, out, 2 * slot + 2);
      slot += 2;
    }
    if (layers === memory.actor.layers && layout.logStd !== null) {
      rangeChecksum(i32, (region + memory.logStd) >>> 2, layout.logStd.size, out, 2 * slot);
      slot += 1;
    }
  }
}

function panelsChecksum(
  i32: Int32Array,
  start: number,
  inputs: number,
  outputs: number,
  out: Uint32Array,
  to: number,
): void {
  const panel = roundUp(inputs, PANEL) * PANEL;
  let first = 0;
  let second = 0;
  for (let column = 0, at = start; column < outputs; column += PANEL, at += panel) {
    const width = Math.min(PANEL, outputs - column);
    for (let i = 0; i < inputs; i++) {
      const from = at + i * PANEL;
      const index = i * outputs + column;
      for (let o = 0; o < width; o++) {
        first = (first + firstTerm(i32[from + o], index + o)) | 0;
        second = (second + secondTerm(i32[from + o], index + o)) | 0;
      }
    }
  }
  out[to] = first;
  out[to + 1] = second;
}

function rangeChecksum(i32: Int32Array, start: number, size: number, out: Uint32Array, to: number): void {
  let first = 0;
  let second = 0;
  for (let k = 0; k < size; k++) {
    first = (first + firstTerm(i32[start + k], k)) | 0;
    second = (second + secondTerm(i32[start + k], k)) | 0;
  }
  out[to] = first;
  out[to + 1] = second;
}
