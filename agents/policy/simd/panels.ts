/** Between the flat parameter vector and the kernels' panels, whose padding is 0 and stays 0. */
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
