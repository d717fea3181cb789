/** "Did you mean": the known name nearest to a mistyped one. */

/** Names that people bring along from other libraries, as the last part of a key. */
const ALIASES: Readonly<Record<string, string>> = {
  lr: 'learning_rate',
  lrr: 'learning_rate',
  lam: 'gae_lambda',
  lambda: 'gae_lambda',
  clip: 'clip_range',
  clip_coef: 'clip_range',
  epochs: 'n_epochs',
  update_epochs: 'n_epochs',
  minibatch_size: 'batch_size',
  num_steps: 'n_steps',
  num_envs: 'n_envs',
  entropy_coef: 'ent_coef',
  entropy_coefficient: 'ent_coef',
  value_coef: 'vf_coef',
  timesteps: 'total_timesteps',
  steps: 'total_timesteps',
  activation: 'activation_fn',
  hidden: 'net_arch',
  layers: 'net_arch',
  capital: 'initial_equity',
  cash: 'initial_equity',
  commission: 'costs',
  fees: 'costs',
  slippage: 'slippage_bps',
  spread: 'spread_bps',
  symbols: 'datasets',
  start: 'from',
  end: 'to',
};

/** Edits between two names: insert, delete, replace, or swap two neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(last[j] + 1, row[j - 1] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2] + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/** The candidate within a third of its length in edits (two at least for names of four or more), or null. */
export function nearestName(name: string, candidates: readonly string[]): string | null {
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    const limit = candidate.length < 4 ? 1 : Math.max(2, Math.floor(candidate.length / 3));
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

const leafOf = (key: string): string => key.slice(key.lastIndexOf('.') + 1);
const parentOf = (key: string): string => key.slice(0, Math.max(0, key.lastIndexOf('.')));

/**
 * The known dotted key that an unknown one most likely means: another library's name for a
 * sibling, the same last part elsewhere ("learning_rate" for "agent.learning_rate"), then whatever is spelt alike. null where nothing is near.
 */
export function nearestKey(key: string, known: readonly string[]): string | null {
  const leaf = leafOf(key);
  const alias = ALIASES[leaf.toLowerCase()];
  const siblings = known.filter((candidate) => parentOf(candidate) === parentOf(key));
  const called = (keys: readonly string[], name: string | undefined): string | undefined =>
    keys.find((candidate) => leafOf(candidate) === name);
  const like = (keys: readonly string[]): string | undefined => {
    const near = nearestName(leaf, keys.map(leafOf));
    return near === null ? undefined : called(keys, near);
  };
  return (
    called(siblings, alias) ??
    called(known, leaf) ??
    like(siblings) ??
    nearestName(key, known) ??
    called(known, alias) ??
    like(known) ??
    null
  );
}
