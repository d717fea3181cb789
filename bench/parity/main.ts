import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../report.js';
import { trainSide } from './sides.js';
import { GOLDEN, SIDES, type Side } from './store.js';
import { parityTasks, quickTask } from './tasks.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    python: { type: 'string' },
    task: { type: 'string', multiple: true },
    side: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
  },
});
const tasks = parityTasks().filter(({ name }) => options.task === undefined || options.task.includes(name));
const folder = options.quick ? path.join(ROOT, 'bench', 'results', 'parity-quick') : GOLDEN;
for (const task of tasks) {
  for (const side of SIDES.filter((s) => options.side === undefined || s === options.side)) {
    await trainSide(options.quick ? quickTask(task) : task, side as Side, {
      folder, quick: options.quick, python: options.python ?? null, jobs: Number(options.jobs), fresh: options.fresh,
      onProgress: (m) => process.stderr.write(`${m}\n`),
    });
  }
}
