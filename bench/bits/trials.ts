/** The same run by many ways: each trial trains one, however it is disturbed, and compares its bits with the reference's. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '#env/seeding.js';
import { strike, type Moment, type Struck } from './kills.js';
import { nodeBinary } from './nodes.js';
import { bitsOf, complete, differences, metricsLines, onlyRun, start, type Bits } from './processes.js';
import type { Subject } from './subjects.js';

export interface Trial {
  readonly subject: string;
  /** A row of the table: trials of one kind stand together. */
  readonly kind: string;
  /** What was done, and how things stood then. */
  readonly detail: string;
  /** What came out otherwise; empty: nothing. */
  readonly differs: readonly string[];
}

export interface Plan {
  readonly kills: number;
  /** Major versions of Node. */
  readonly nodes: readonly string[];
  readonly seed: number;
  readonly onTrial: (trial: Trial) => void;
}

const SEED = '7';
const OTHER_SEED = '8';
const REPEATED_KILLS = 5;

export class Trials {
  readonly #subject: Subject;
  readonly #place: string;
  readonly #plan: Plan;
  readonly #moments: RandomStream;
  readonly #trials: Trial[] = [];
  #count = 0;

  /** `place` holds the experiments' files and their datasets/. */
  constructor(subject: Subject, place: string, plan: Plan) {
    this.#subject = subject;
    this.#place = place;
    this.#plan = plan;
    this.#moments = new RandomStream(plan.seed, `bits/${subject.name}`);
  }

  async all(): Promise<Trial[]> {
    const reference = this.#freshRuns();
    const { wallMs } = await complete(this.#launch(reference, { threads: 1 }));
    const run = runIn(reference);
    const expected = bitsOf(run);
    await this.#undisturbed(expected);
    await this.#nodes(expected, run);
    await this.#killed(expected, wallMs);
    await this.#killedRepeatedly(expected, metricsLines(run));
    await this.#elsewhere(expected);
    await this.#replayed('the run that nothing disturbed, on two threads', run, ['--threads', '2']);
    await this.#control(expected);
    return this.#trials;
  }

  #add(kind: string, detail: string, differs: readonly string[]): void {
    const trial = { subject: this.#subject.name, kind, detail, differs };
    this.#trials.push(trial);
    this.#plan.onTrial(trial);
  }

  async #undisturbed(expected: Bits): Promise<void> {
    for (const threads of [1, 2]) {
      const runsDir = this.#freshRuns();
      await complete(this.#launch(runsDir, { threads }));
      this.#add(threads === 1 ? 'repeated' : 'on two threads', '', differences(expected, bitsOf(runIn(runsDir))));
    }
  }

  async #nodes(expected: Bits, reference: string): Promise<void> {
    for (const major of this.#plan.nodes) {
      const { version, file, problem } = nodeBinary(major);
      if (version === null) {
        this.#add(`on Node ${major}`, problem, ['not tried']);
        continue;
      }
      for (const threads of [1, 2]) {
        const runsDir = this.#freshRuns();
        await complete(this.#launch(runsDir, { threads, node: file }));
        this.#add(`on Node ${version}`, `threads ${threads}`, differences(expected, bitsOf(runIn(runsDir))));
      }
      await this.#replayed(`on Node ${version}`, reference, [], file);
    }
  }

  /** A quarter of the kills falls into the writing of a checkpoint, an eighth into the first moments, the rest anywhere. */
  async #killed(expected: Bits, wallMs: number): Promise<void> {
    const signs = ['folder', 'run.json', 'checkpoint'] as const;
    const { kills } = this.#plan;
    const atStart = Math.max(1, Math.round(kills / 8));
    const atWriting = Math.max(1, Math.round(kills / 4));
    for (let k = 0; k < kills; k++) {
      if (k < atStart) {
        await this.#killedOnce(expected, 'killed before, or with, the first checkpoint', () => ({
          kind: 'first',
          sign: signs[k % signs.length],
        }));
      } else if (k < atStart + atWriting) {
        await this.#killedOnce(expected, 'killed while a checkpoint is written', () => ({
          kind: 'checkpoint',
          passed: Math.floor(this.#moments.uniform() * 40),
        }));
      } else {
        await this.#killedOnce(expected, 'killed at a random moment', () => ({
          kind: 'random',
          afterMs: this.#moments.uniform() * wallMs,
        }));
      }
    }
  }

  /** Killed on one number of threads, and resumed on the other. */
  async #killedOnce(expected: Bits, kind: string, draw: () => Moment): Promise<void> {
    const threads = 1 + (this.#count % 2);
    for (;;) {
      const moment = draw();
      const runsDir = this.#freshRuns();
      const struck = await strike(start(this.#launch(runsDir, { threads })), runsDir, moment);
      // too late: it had ended, or, of a checkpoint, the last one had been written
      if (!struck.hit || (moment.kind === 'checkpoint' && struck.temporary === null)) continue;
      await this.#resume(runsDir, struck, 3 - threads);
      this.#add(kind, describe(moment, struck), differences(expected, bitsOf(runIn(runsDir))));
      return;
    }
  }

  async #killedRepeatedly(expected: Bits, updates: number): Promise<void> {
    const runsDir = this.#freshRuns();
    const details: string[] = [];
    let struck: Struck | null = null;
    for (let k = 0; k < REPEATED_KILLS; k++) {
      // from where it was taken up, so that each process comes somewhere
      const lines = (struck?.metricsLines ?? 0) + 1 + Math.floor(this.#moments.uniform() * (updates / REPEATED_KILLS));
      const moment = { kind: 'progress', lines } as const;
      const running = start(
        struck?.hasRecord === true
          ? this.#resumption(runsDir, runIn(runsDir), 1 + (k % 2))
          : this.#launch(this.#emptied(runsDir), { threads: 1 + (k % 2) }),
      );
      struck = await strike(running, runsDir, moment);
      if (!struck.hit) break;
      details.push(`after ${struck.metricsLines} lines of metrics`);
    }
    if (struck !== null) await this.#resume(runsDir, struck, 1);
    const run = runIn(runsDir);
    this.#add('killed again and again, and resumed each time', details.join(', '), differences(expected, bitsOf(run)));
    await this.#replayed('the run that was killed again and again', run, []);
  }

  /** The run's folder moved, and taken up from another current directory, which holds a copy of the data sets. */
  async #elsewhere(expected: Bits): Promise<void> {
    const runsDir = this.#freshRuns();
    const struck = await strike(start(this.#launch(runsDir, { threads: 1 })), runsDir, {
      kind: 'checkpoint',
      passed: 5,
    });
    const otherPlace = path.join(this.#place, `other-${this.#count}`);
    const moved = path.join(otherPlace, 'moved to', 'run');
    mkdirSync(path.dirname(moved), { recursive: true });
    cpSync(path.join(this.#place, 'datasets'), path.join(otherPlace, 'datasets'), { recursive: true });
    cpSync(runIn(runsDir), moved, { recursive: true });
    rmSync(runsDir, { recursive: true });
    await complete({ args: ['train', '--resume', path.join('moved to', 'run')], runsDir, cwd: otherPlace });
    const detail = `after ${struck.metricsLines} lines of metrics; resumed from a copy in another current directory`;
    this.#add('killed, moved to another folder, resumed there', detail, differences(expected, bitsOf(moved)));
  }

  async #replayed(detail: string, run: string, args: readonly string[], node?: string): Promise<void> {
    const launch = { args: ['replay', run, ...args], runsDir: this.#place, cwd: this.#place };
    const { code, stderr } = await start(node === undefined ? launch : { ...launch, node }).ended;
    this.#add('`openbell replay` says the same', detail, code === 0 ? [] : [`exit code ${code}: ${stderr.trim()}`]);
  }

  /** A comparison that finds nothing must be able to find something. */
  async #control(expected: Bits): Promise<void> {
    const runsDir = this.#freshRuns();
    await complete(this.#launch(runsDir, { threads: 1, seed: OTHER_SEED }));
    const { weights, metrics, fingerprints } = bitsOf(runIn(runsDir));
    const equal =
      weights === expected.weights || metrics === expected.metrics || fingerprints === expected.fingerprints;
    this.#add('another seed gives other bits', '', equal ? ['the same bits with another seed'] : []);
  }

  async #resume(runsDir: string, struck: Struck, threads: number): Promise<void> {
    if (struck.run !== null && struck.hasRecord)
      return void (await complete(this.#resumption(runsDir, struck.run, threads)));
    // killed before there was a run to take up
    await complete(this.#launch(this.#emptied(runsDir), { threads }));
  }

  #resumption(runsDir: string, run: string, threads: number): { args: string[]; runsDir: string; cwd: string } {
    return { args: ['train', '--resume', run, '--threads', String(threads)], runsDir, cwd: this.#place };
  }

  #launch(
    runsDir: string,
    { threads, seed = SEED, node }: { threads: number; seed?: string; node?: string },
  ): { args: string[]; runsDir: string; cwd: string; node?: string } {
    const args = ['train', this.#subject.file, '--seed', seed, '--threads', String(threads)];
    const launch = { args, runsDir, cwd: this.#place };
    return node === undefined ? launch : { ...launch, node };
  }

  #freshRuns(): string {
    this.#count += 1;
    return path.join(this.#place, 'runs', `${this.#subject.name}-${this.#count}`);
  }

  #emptied(runsDir: string): string {
    rmSync(runsDir, { recursive: true, force: true });
    return runsDir;
  }
}

function runIn(runsDir: string): string {
  const run = onlyRun(runsDir);
  if (run === null) throw new Error(`there is no run in ${runsDir}`);
  return run;
}

function describe(moment: Moment, struck: Struck): string {
  const stood = !struck.hasRecord
    ? 'no run stood yet: trained anew'
    : !struck.hasCheckpoint
      ? 'no checkpoint stood yet: resumed at the start'
      : `${struck.metricsLines} lines of metrics stood`;
  if (moment.kind === 'progress') return stood;
  if (moment.kind === 'random') return `after ${Math.round(moment.afterMs)} ms: ${stood}`;
  if (moment.kind === 'first') return `as soon as its ${moment.sign} stood: ${stood}`;
  return `${stood}; unfinished: ${struck.temporary ?? 'nothing'}`;
}
