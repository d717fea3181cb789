/** Follows an alias while its bundle trades: tells what waits, and when another may take over. */
import { shortId } from '#src/registry/bundle.js';
import type { AliasChange, Registry } from '#src/registry/registry.js';
import { ALIASES } from '#src/registry/aliases.js';
import { traderConfigOf, type DeploymentOptions } from './bundle-trader.js';
import type { TradingKind } from './account-folder.js';
import { isIdle, type Deployment } from './deployment.js';
import { liveVerdict } from './promotion-status.js';
import type { Runner } from './runner.js';

export interface BundleWatchOptions {
  readonly kind: TradingKind;
  readonly registry: Registry;
  /** An alias is followed; a bundle that is named itself stays. */
  readonly reference: string;
  readonly deployment: Deployment;
  readonly settings: DeploymentOptions;
  readonly runner: Runner;
  readonly print: (line: string) => void;
}

const LOOK_EVERY_MS = 2_000;

export class BundleWatch {
  /** Resolves when something else is wanted and the account is flat. */
  readonly changed: Promise<'changed'>;
  /** What waits, and for what; null: nothing. */
  waiting: string | null;
  readonly #options: BundleWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #sayChanged: () => void = () => undefined;
  /** Said once each. */
  #told = '';
  /** The last change that was judged: a bundle is read once. */
  #judged: { readonly change: AliasChange; readonly refusal: string | null } | null = null;
  #looksSoon = false;
  #ended = false;

  constructor(options: BundleWatchOptions) {
    this.#options = options;
    this.waiting = options.deployment.waiting;
    this.changed = new Promise((resolve) => {
      this.#sayChanged = () => resolve('changed');
    });
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  /** Something has happened: what waits must not miss the moment at which the account is flat. */
  nudge(): void {
    if (this.waiting === null || this.#looksSoon || this.#ended) return;
    this.#looksSoon = true;
    setImmediate(() => {
      this.#looksSoon = false;
      this.look();
    });
  }

  look(): void {
    if (this.#ended) return;
    const { reference, deployment, print } = this.#options;
    try {
      this.#compare();
    } catch (error) {
      // what cannot be read does not stop what trades
      const message = error instanceof Error ? error.message : String(error);
      this.waiting = `${reference} cannot be followed, ${shortId(deployment.bundle.sha256)} trades on: ${message}`;
    }
    if (this.waiting === null || this.waiting === this.#told) return;
    this.#told = this.waiting;
    print(this.waiting);
  }

  stop(): void {
    this.#ended = true;
    clearInterval(this.#timer);
  }

  #compare(): void {
    const { registry, reference, deployment } = this.#options;
    const alias = ALIASES.find((name) => name === reference);
    const change = alias === undefined ? null : registry.current(alias);
    if (change === null || change.to === deployment.bundle.sha256) {
      this.waiting = deployment.waiting;
      if (this.waiting !== null && this.#mayChange) this.#change();
      return;
    }
    if (this.#judged?.change !== change) this.#judged = { change, refusal: this.#refusal(change) };
    const { refusal } = this.#judged;
    this.waiting = `bundle ${shortId(change.to)} ${refusal ?? 'waits: the account is not flat, or not at rest'}`;
    if (refusal === null && this.#mayChange) this.#change();
  }

  get #mayChange(): boolean {
    const { runner } = this.#options;
    return runner.trader.ready && runner.settled && isIdle(runner.trader);
  }

  #change(): void {
    // the next session says what trades
    this.#told = this.waiting ?? '';
    this.stop();
    this.#sayChanged();
  }

  /** Why this account's money does not follow the alias there; null: it does. Throws where the bundle cannot trade. */
  #refusal(change: AliasChange): string | null {
    const { kind, registry, settings } = this.#options;
    const bundle = registry.load(change.to);
    traderConfigOf(bundle, settings);
    if (kind !== 'live') return null;
    const { why, remedy } = liveVerdict(change, bundle, settings.account);
    return why === '' ? null : `does not take over, ${why}: ${remedy}`;
  }
}
