/** Between the flat parameter vector and the kernels' panels, whose padding is 0 and stays 0. */
import { PANEL, roundUp } from './kernels.js';
import type { PolicyMemory } from './memory.js';

/** From panels at `region` to the flat layout. */
export function readFlat(memory: PolicyMemory, flat: Float32Array, region: number): void {
  forEachElement(memory, region, (offset, at) => {
    flat[offset] = memory.f32[at];
  });
}

/** From the flat layout to panels at `region`; the padding stays as it is (0). */
export function writeFlat(memory: PolicyMemory, flat: Float32Array, region: number): void {
  forEachElement(memory, region, (offset, at) => {
    memory.f32[at] = flat[offset];
  });
}

function forEachElement(memory: PolicyMemory, region: number, visit: (offset: number, at: number) => void): void {
  for (const { layers } of [memory.actor, memory.critic]) {
    for (const { layer, weight, bias, inputs, outputs } of layers) {
      const panel = roundUp(inputs, PANEL) * PANEL;
      const start = (region + weight) / 4;
      for (let i = 0; i < inputs; i++) {
        for (let o = 0; o < outputs; o++) {
          visit(layer.weight.offset + i * outputs + o, start + (o >> 3) * panel + i * PANEL + (o & 7));
        }
      }
      for (let o = 0; o < outputs; o++) visit(layer.bias.offset + o, (region + bias) / 4 + o);
    }
  }
  const logStd = memory.layout.logStd;
  if (logStd !== null) {
    for (let k = 0; k < logStd.size; k++) visit(logStd.offset + k, (region + memory.logStd) / 4 + k);
  }
}
