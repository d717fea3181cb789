/** What a replay found, for a terminal. */
import type { Circumstance, Difference, ReplayOutcome } from './replay.js';

export function replayText(outcome: ReplayOutcome): string {
  const { directory, circumstances, updates, timesteps, weightsSha256, checkpoints, differences } = outcome;
  const lines = [`run ${directory} (${outcome.status})`];
  for (const circumstance of circumstances) lines.push(circumstanceText(circumstance));
  if (weightsSha256 === null) return [...lines, 'DIFFERENT before training: nothing was replayed'].join('\n');
  lines.push(`trained again: ${updates} updates, ${timesteps} steps`);
  if (!outcome.fingerprinted)
    lines.push('the run has no fingerprints.jsonl: only its metrics and its final parameters were compared');
  if (checkpoints.length > 0) lines.push(`checkpoints that hold what was trained: ${checkpoints.join(', ')}`);
  for (const difference of differences) lines.push(differenceText(difference));
  if (outcome.replayDirectory !== null) lines.push(`the replay is kept in ${outcome.replayDirectory}`);
  lines.push(outcome.same ? `SAME to the bit: weights sha256 ${weightsSha256}` : 'DIFFERENT');
  return lines.join('\n');
}

function circumstanceText({ what, recorded, now, decisive }: Circumstance): string {
  const change = `${what} was ${recorded ?? 'absent'}, is ${now ?? 'absent'}`;
  return decisive ? `changed since: ${change}` : `other than then (should not matter): ${change}`;
}

export function differenceText(difference: Difference): string {
  switch (difference.kind) {
    case 'tensor': {
      const { update, timesteps, tensor, recorded, replayed, tensors } = difference;
      const when = update === 0 ? 'before the first update' : `at update ${update} (step ${timesteps})`;
      const others =
        tensors.length === 1 ? 'no other tensor' : `${tensors.length - 1} more: ${shorten(tensors.slice(1))}`;
      return [
        `first difference ${when}, tensor ${tensor}: recorded ${recorded ?? 'absent'}, replayed ${replayed ?? 'absent'} (${others})`,
        whereFrom(update, tensor),
      ].join('\n');
    }
    case 'metrics':
      return `the parameters are equal at every update, but metrics.jsonl line ${difference.line}, ${difference.key}: recorded ${difference.recorded}, replayed ${difference.replayed}`;
    case 'result':
      return `run.json says weights sha256 ${difference.recorded}, replayed ${difference.replayed}`;
    case 'checkpoint':
      return `${difference.file} does not hold what was trained: tensor ${difference.tensor} differs from update ${difference.update}`;
    case 'torn':
      return difference.message;
  }
}

/** The tensors stand in the order of cause. */
function whereFrom(update: number, tensor: string): string {
  if (update === 0)
    return 'the policy was drawn otherwise from the seed, or the normaliser saw another first observation';
  if (tensor === 'rollout.actions')
    return 'the parameters before it were equal: the environment showed something else, or the policy chose otherwise';
  if (tensor === 'rollout.rewards') return 'the actions were equal: the environment answered otherwise';
  if (tensor.startsWith('normalizer.'))
    return 'actions and rewards were equal: the observations, or their statistics, differ';
  return 'the rollout before it was equal: it was learned from otherwise';
}

const shorten = (names: readonly string[]): string =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')}, ...` : names.join(', ');
