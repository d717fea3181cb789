import type { TraderConfig } from './config.js';
import type { HaltLevel } from './events.js';
import type { Alert, TraderIntent } from './intents.js';
import type { Surroundings } from './surroundings.js';
import type { SymbolTrader } from './symbol-trader.js';

/** What the trader is to its parts: the clocks of the event under way, its symbols, and where intents go. */
export interface Floor {
  readonly config: TraderConfig;
  readonly symbols: readonly SymbolTrader[];
  readonly wallMs: number;
  readonly marketMs: number;
  readonly connected: boolean;
  symbolNamed(symbol: string): SymbolTrader | undefined;
  around(): Surroundings;
  want(intent: TraderIntent): void;
  alert(level: Alert['level'], code: string, text: string, symbol?: string): void;
  /** Only a person ends a halt; a higher level replaces a lower one. */
  haltAt(level: HaltLevel, reason: string): void;
  /** Asks for the bars since the last one that a symbol has. */
  repair(symbol: SymbolTrader): void;
}
