// The kernels of the simd policy engine, compiled to one WebAssembly module with an imported memory. They hold no
// state: the host (engine.ts) plans the memory and passes byte addresses.
// memory: shared
export { linearForward, linearBackwardInput, linearBackwardWeight, linearBackwardBias, transposeWeight } from './_linear.as';
export { activate } from './_activation.as';
export { gatherRows, advantageMoments } from './_batch.as';
export {
  categoricalAct, categoricalProbabilities, categoricalLoss, gaussianDeviations, gaussianAct, gaussianLoss, valueLoss,
} from './_heads.as';
export { sumSquares, adamStep } from './_optimizer.as';

/** First byte after the tables of log and exp. */
export function firstFreeByte(): usize {
  return __heap_base;
}
