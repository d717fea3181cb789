/** OpenBell's trainings, in a process of their own: requests and answers are lines of JSON. */
import { createInterface } from 'node:readline';
import { learningCurve } from './curve.js';
import { parityTask } from './tasks.js';
import { makeWorlds } from './worlds.js';

interface Request {
  readonly task: string;
  readonly quick: boolean;
  readonly seed: number;
}

for await (const line of createInterface({ input: process.stdin })) {
  const request: Request = JSON.parse(line);
  const task = parityTask(request.task, request.quick);
  process.stdout.write(`${JSON.stringify(learningCurve(task, await makeWorlds(task), request.seed))}\n`);
}
