import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_CARE, DEFAULT_RISK } from '../core/config.js';
import { readPolicy } from './policy-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'openbell-policy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function policy(text: string): ReturnType<typeof readPolicy> {
  const file = path.join(folder, 'policy.yaml');
  writeFileSync(file, text);
  return readPolicy(file);
}

it('fills in what a file does not say', () => {
  expect(policy('risk: { max_daily_loss: 0.01 }\n')).toEqual({
    equity: null,
    risk: { ...DEFAULT_RISK, max_daily_loss: 0.01 },
    care: DEFAULT_CARE,
  });
  expect(policy('equity: 5000\ncare: { on_shutdown: close }\n')).toMatchObject({
    equity: 5000,
    care: { on_shutdown: 'close' },
  });
});

it.each([
  ['risk:\n  max_dayly_loss: 0.1\n', /CONFIG_UNKNOWN_KEY .*policy.yaml:2 .*did you mean "risk.max_daily_loss"/],
  ['max_drawdown: 0.1\n', /CONFIG_UNKNOWN_KEY .*did you mean "risk.max_drawdown"/],
  ['risk:\n  max_daily_loss: 5\n', /CONFIG_VALUE .*policy.yaml:2 risk.max_daily_loss 5: .*1/],
  ['care:\n  foreign: maybe\n', /CONFIG_VALUE .*care.foreign "maybe": .*refuse.*ignore/],
  ['risk:\n  max_order_quantity: -3\n', /CONFIG_VALUE .*-3/],
])('refuses %j', (text, message) => {
  expect(() => policy(text)).toThrow(message);
});
