/** `npm run bits` at reduced size: the command that fills docs/validation.md finds no difference, and says which it looked for. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root } from './openbell.js';

it('finds the same bits in a market with every noise: on two threads, killed in the middle of a checkpoint, moved', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'dist/bench/bits/main.js'), '--quick', '--subject', 'market', '--kills', '2'],
    { encoding: 'utf8', timeout: 170_000 },
  );
  expect(stderr).toMatch(/^market: killed while a checkpoint is written \(.*unfinished: \w+\.safetensors.*\): same$/m);
  expect(stdout).toMatch(/^\| another seed gives other bits +\| +1 \| +yes \|$/m);
  expect(stdout).not.toMatch(/NO, in/);
  expect(status).toBe(0);
}, 180_000);
