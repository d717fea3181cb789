/** OpenBell's trainings, in a process of their own: requests and answers are lines of JSON. */
import { createInterface } from 'node:readline';
import { learningCurve, publishedScore, type Curve } from './curve.js';
import { publishedRows } from './published.js';
import { parityTasks } from './tasks.js';
import { makeWorlds } from './worlds.js';

export interface OpenbellRequest {
  readonly do: 'curve' | 'published';
  /** Of a task, or of a published row. */
  readonly name: string;
  readonly quick: boolean;
  readonly seed: number;
}

async function answer({ do: what, name, quick, seed }: OpenbellRequest): Promise<Curve> {
  if (what === 'published') return publishedScore(named(publishedRows(quick), name), seed);
  const task = named(parityTasks(quick), name);
  return learningCurve(task, await makeWorlds(task), seed);
}

function named<Item extends { readonly name: string }>(items: readonly Item[], name: string): Item {
  const found = items.find((item) => item.name === name);
  if (found === undefined) throw new RangeError(`there is no ${name}`);
  return found;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
