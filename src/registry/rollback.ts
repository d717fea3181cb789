/** What an alias can go back to: its promotions, each undone by a rollback, as pages by a browser's Back. */
import type { AliasChange } from './history.js';
import type { AliasName } from './aliases.js';

/**
 * The changes whose bundles an alias would go back through, the current one last. A promotion is put on top, a rollback
 * takes off what it undid: after promotions of A, B and C two rollbacks lead to B, then to A, not to and fro. The same
 * bundle promoted again is no step.
 *
 * Each entry is the promotion itself, with the account that it was confirmed for, never the rollback that led back.
 */
export function promotionsInForce(changes: readonly AliasChange[], alias: AliasName): AliasChange[] {
  const stack: AliasChange[] = [];
  for (const change of changes) {
    if (change.alias !== alias) continue;
    if (change.action === 'rollback') {
      const at = stack.findLastIndex(({ to }, index) => to === change.to && index < stack.length - 1);
      stack.length = at + 1;
    } else {
      if (stack.at(-1)?.to === change.to) stack.pop();
      stack.push(change);
    }
  }
  return stack;
}
