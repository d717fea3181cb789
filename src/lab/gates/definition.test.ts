import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadGates, settingsOf } from './definition.js';

let folder = '';
beforeAll(() => (folder = mkdtempSync(path.join(tmpdir(), 'openbell-gates-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const target = path.join(folder, name);
  writeFileSync(target, text);
  return target;
}

describe('loadGates', () => {
  it('asks for what a file says, and for the rest as the one that ships', () => {
    const shipped = loadGates();
    const own = loadGates(file('own.yaml', 'paper: { trades: { at_least: 30 } }\n'));
    expect(own.paper).toEqual({ ...shipped.paper, trades: { at_least: 30 } });
    expect(own.live).toEqual(shipped.live);
  });

  it('follows extends, and null switches a gate off', () => {
    file('strict.yaml', 'live: { max_drawdown: { at_most: 0.1 }, pbo: { at_most: 0.05 } }\n');
    const { live } = loadGates(file('mine.yaml', 'extends: strict.yaml\nlive:\n  pbo: null\n'));
    expect(live.max_drawdown).toEqual({ at_most: 0.1 });
    expect(live.pbo).toBeNull();
  });

  it('advises by what live asks for, where the alias does not ask', () => {
    const gates = loadGates();
    expect(settingsOf(gates, 'paper', 'beats_hold')).toEqual({ settings: gates.live.beats_hold, advisory: true });
    expect(settingsOf(gates, 'live', 'beats_hold')?.advisory).toBe(false);
    const off = loadGates(file('off.yaml', 'live: { beats_hold: null }\n'));
    expect(settingsOf(off, 'paper', 'beats_hold')).toBeNull();
  });

  it.each([
    [
      'paper:\n  tradez: { at_least: 3 }\n',
      /^CONFIG_UNKNOWN_KEY .*bad\.yaml:2 "paper\.tradez": did you mean "paper\.trades"\?$/,
    ],
    ['paper:\n  trades: { at_most: 3 }\n', /^CONFIG_UNKNOWN_KEY .*bad\.yaml:2 "paper\.trades\.at_most": did you mean/],
    [
      'paper:\n  audit: null\n',
      /^CONFIG_UNKNOWN_KEY .*bad\.yaml:2 "paper\.audit": integrity is always asked: remove the key$/,
    ],
    ['paper:\n  paper_days: { at_least: 3 }\n', /^CONFIG_UNKNOWN_KEY .*bad\.yaml:2 "paper\.paper_days"/],
    ['paper:\n  replay: null\n', /^CONFIG_VALUE .*bad\.yaml:2 paper\.replay null: .*cannot be switched off$/],
    ['live:\n  paper_days: null\n', /^CONFIG_VALUE .*bad\.yaml:2 live\.paper_days null: .*cannot be switched off$/],
    ['live:\n\n  max_drawdown: { at_most: 2 }\n', /^CONFIG_VALUE .*bad\.yaml:3 live\.max_drawdown\.at_most 2: /],
    ['live:\n  paper_days: { at_least: 0 }\n', /^CONFIG_VALUE .*bad\.yaml:2 live\.paper_days\.at_least 0: /],
    ['[]\n', /^CONFIG_SYNTAX .*bad\.yaml:1/],
  ])('refuses %j with file, line and key', (text, message) => {
    expect(() => loadGates(file('bad.yaml', text))).toThrow(message);
  });
});
