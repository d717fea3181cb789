/** What time brings: answers that stay away, market data that is stale, positions that stay bare, commissions that are late. */
import { calendarNamed, type TradingCalendar } from '#env/market/calendar.js';
import type { Floor } from './floor.js';
import type { OwnOrder } from './own-orders.js';
import type { SymbolTrader } from './symbol-trader.js';

/** A placement, a replacement or a cancel that nobody has answered after this long is asked about. */
const ANSWER_WITHIN_MS = 5_000;
/** A commission that is missing after this long is asked for, each time after twice as long. */
const CHARGED_WITHIN_MS = 3_000;
const LONGEST_CHARGE_WAIT_MS = 300_000;

export class Watch {
  readonly #floor: Floor;
  readonly #calendar: TradingCalendar;
  #chargeWaitMs = CHARGED_WITHIN_MS;

  constructor(floor: Floor) {
    this.#floor = floor;
    this.#calendar = calendarNamed(floor.config.calendar);
  }

  /** What was asked of an order and never answered leaves it in doubt. */
  silence(symbol: SymbolTrader, order: OwnOrder): void {
    const waits = order.state === 'pending' || order.state === 'cancelling' || order.unconfirmed.length > 0;
    if (!waits || order.doubtSinceWallMs !== null || this.#floor.wallMs - order.askedWallMs < ANSWER_WITHIN_MS) return;
    symbol.orders.doubt(order, this.#floor.wallMs, null);
  }

  /** Data that is stale is subscribed to anew; where that does not help, the position is left. */
  data(symbol: SymbolTrader): void {
    // nothing is known of the market's time before the broker has told it
    if (this.#floor.marketMs === 0 || symbol.market.lastDataWallMs === 0) return;
    if (this.#calendar.sessionAt(this.#floor.marketMs) === null) return;
    const { stale_after_seconds, close_when_stale_seconds } = this.#floor.config.care;
    const ageMs = this.#floor.wallMs - symbol.market.lastDataWallMs;
    if (ageMs < stale_after_seconds * 1000) return;
    if (symbol.market.staleSinceWallMs === null) {
      symbol.market.staleSinceWallMs = this.#floor.wallMs;
      this.#floor.alert(
        'warning',
        'DATA_STALE',
        `no market data for ${Math.round(ageMs / 1000)} s: subscribing anew`,
        symbol.symbol,
      );
      this.#floor.want({ type: 'subscribe', symbol: symbol.symbol });
    } else if (
      this.#floor.wallMs - symbol.market.staleSinceWallMs >= close_when_stale_seconds * 1000 &&
      symbol.position !== 0 &&
      symbol.leaving === null
    ) {
      this.#floor.alert(
        'critical',
        'DATA_DEAD',
        'market data stays away while the broker is connected: leaving the position',
        symbol.symbol,
      );
      symbol.flatten('market data is dead', this.#floor.around());
    }
  }

  /** A position that stays bare too long is left. */
  protection(symbol: SymbolTrader): void {
    const since = symbol.unprotectedSinceWallMs;
    if (since === null || symbol.leaving !== null || !this.#floor.around().ready) return;
    if (this.#floor.wallMs - since < this.#floor.config.care.protect_within_seconds * 1000) return;
    this.#floor.alert(
      'critical',
      'UNPROTECTED',
      `no working stop for ${Math.round((this.#floor.wallMs - since) / 1000)} s: leaving the position`,
      symbol.symbol,
    );
    symbol.flatten('it could not be protected', this.#floor.around());
  }

  /** Whether a commission has been missing for so long that it is worth a question: executions come with theirs. */
  commissionMissing(lastAskedWallMs: number): boolean {
    let missing = false;
    for (const symbol of this.#floor.symbols) {
      if (symbol.ledger.uncharged === 0) symbol.unchargedSinceWallMs = null;
      else symbol.unchargedSinceWallMs ??= this.#floor.wallMs;
      const since = symbol.unchargedSinceWallMs;
      if (since === null) continue;
      missing = true;
      if (this.#floor.wallMs - Math.max(since, lastAskedWallMs) < this.#chargeWaitMs) continue;
      this.#chargeWaitMs = Math.min(2 * this.#chargeWaitMs, LONGEST_CHARGE_WAIT_MS);
      return true;
    }
    if (!missing) this.#chargeWaitMs = CHARGED_WITHIN_MS;
    return false;
  }
}
