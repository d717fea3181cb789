/** What every engine asks of the arrays that it is handed. */
import type { PolicySpec, TrainingBatch } from './contract.js';
import { actionColumns, headSize } from './layout.js';
import { fail } from '#src/errors.js';

/** Throws POLICY_STATE where an array of the rollout is too short, or masks come with a Box. */
export function checkBatch(spec: PolicySpec, batch: TrainingBatch): void {
  const T = batch.size;
  const arrays: [string, ArrayLike<number>, number][] = [
    ['observations', batch.observations, spec.observationSize],
    ['actions', batch.actions, actionColumns(spec)],
    ['logProbs', batch.logProbs, 1],
    ['values', batch.values, 1],
    ['advantages', batch.advantages, 1],
    ['returns', batch.returns, 1],
  ];
  if (batch.masks !== null) {
    if (spec.action.kind === 'box')
      fail('POLICY_STATE', { where: 'batch.masks', message: 'a Box has no masks: pass null' });
    arrays.push(['masks', batch.masks, headSize(spec)]);
  }
  if (!Number.isInteger(T) || T < 1)
    fail('POLICY_STATE', { where: 'batch.size', value: T, message: 'a batch has at least one row' });
  for (const [name, array, columns] of arrays) {
    if (array.length < T * columns) {
      fail('POLICY_STATE', {
        where: `batch.${name}`,
        value: array.length,
        message: `${T} rows need ${T * columns} numbers`,
      });
    }
  }
  if (spec.action.kind === 'discrete') {
    for (let t = 0; t < T; t++) {
      const action = batch.actions[t];
      if (!(action >= 0 && action < spec.action.n && Number.isInteger(action))) {
        fail('POLICY_STATE', {
          where: `batch.actions[${t}]`,
          value: action,
          message: `an action is an integer from 0 to ${spec.action.n - 1}`,
        });
      }
    }
  }
}
