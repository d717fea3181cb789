/** A life in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Life, LifeOptions, LifeReport } from './subject.js';

interface Answer {
  readonly id: number;
  readonly report: LifeReport;
  readonly story: readonly string[];
}

export class ProcessLife implements Life {
  readonly died: Promise<string>;
  dead = false;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #story: readonly string[] = [];
  #last: LifeReport | null = null;
  #id = 0;

  constructor(options: LifeOptions) {
    this.#child = fork(fileURLToPath(new URL('child.js', import.meta.url)), [JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    let said = '';
    this.#child.stderr?.on('data', (text: Buffer) => {
      said += text.toString();
    });
    this.#child.on('message', (answer: Answer) => {
      this.#story = answer.story;
      this.#last = answer.report;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.died = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        this.dead = true;
        resolve(signal === 'SIGKILL' ? 'killed' : `exit ${code ?? signal}: ${said}`);
      });
    });
  }

  boundary(limitMs: number): Promise<LifeReport> {
    return this.#ask('boundary', limitMs);
  }

  report(): Promise<LifeReport> {
    return this.#ask('report', 0);
  }

  story(): readonly string[] {
    return this.#story;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.died;
  }

  async end(): Promise<void> {
    if (this.dead) return;
    await Promise.race([this.#ask('end', 0), this.died]);
    await this.died;
  }

  async #ask(ask: 'boundary' | 'report' | 'end', limitMs: number): Promise<LifeReport> {
    const id = ++this.#id;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    if (this.#child.connected) this.#child.send({ id, ask, limitMs }, () => undefined);
    const answer = await Promise.race([answered, this.died]);
    if (typeof answer !== 'string') return answer.report;
    if (this.#last === null) throw new Error(`the runner's process died before it said anything: ${answer}`);
    return this.#last;
  }
}
