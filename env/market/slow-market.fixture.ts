/**
 * The market a second time, slow and obvious, for tests only: one account, plain objects, everything recomputed
 * from the list of fills, in ADJUSTED prices and units (the environment works in tradable ones). It shares no
 * code with the environment but types, calendars and the dated fee table.
 */
import type { TradingWindow } from './bars.js';
import { calendarNamed } from './calendar.js';
import type { MarketConfig } from './config.js';
import { feePeriodOf, regulatoryFees } from './regulatory-fees.js';
import type { FillReason } from './recorder.js';

export interface SlowFill {
  bar: number;
  /** Signed tradable shares. */
  quantity: number;
  /** Tradable price paid, and the one before spread, slippage and tick. */
  price: number;
  base: number;
  commission: number;
  reason: FillReason;
}

export interface SlowStep {
  bar: number;
  fills: SlowFill[];
  equity: number;
  /** Signed tradable shares at the close. */
  position: number;
  /** Commission, fees, borrow, and price paid away. */
  costs: number;
  /** What the market did to the position, at base prices. */
  profit: number;
  terminated: boolean;
  truncated: boolean;
}

interface SlowOrder {
  kind: 'open' | 'close' | 'adjust';
  /** Adjusted units and price, so that corporate actions pass over them. */
  units: number;
  limit: number | null;
  reason: FillReason;
  forced: boolean;
}

interface Levels {
  entry: number;
  initialUnits: number;
  best: number;
  stop: number | null;
  targets: { level: number; fraction: number }[];
  stagesLeft: number[];
}

const DAY = 86_400_000;
/** To ten decimals: nobody means the eleventh. */
const clean = (price: number): number => Number(price.toFixed(10));

/** Runs one episode from the decision at the close of `first` to `last`, over given actions; no noise but delay 0 or 1. */
export function slowEpisode(
  window: TradingWindow,
  config: MarketConfig,
  initialEquity: number,
  actions: readonly number[],
  first: number,
  last: number,
): SlowStep[] {
  const { bars } = window;
  const { instrument } = bars;
  const { costs, exits, rules } = config;
  const calendar = calendarNamed(bars.calendar);
  const daily = bars.interval.ms >= DAY;
  const factor = (t: number): number => (bars.factor === null ? 1 : bars.factor[t]);

  // ---- facts about bars
  const decisionTime = (t: number): number => {
    const session = daily ? null : calendar.sessionAt(bars.openTimeMs[t]);
    const close = bars.openTimeMs[t] + bars.interval.ms;
    return session !== null && session.closeMs < close ? session.closeMs : close;
  };
  const localDay = (ms: number): number => Math.floor((ms + calendar.utcOffsetMs(ms)) / DAY);
  const dayAt = (ms: number): number => calendar.sessionAt(ms)?.dayId ?? localDay(ms);
  const dayOf = (t: number): number => (daily ? Math.floor(bars.openTimeMs[t] / DAY) : dayAt(bars.openTimeMs[t]));
  const mustBeFlat = (t: number): boolean => {
    if (rules.flat_before_close_minutes === null) return false;
    const session = calendar.sessionAt(decisionTime(t));
    if (session === null) return true;
    const nextDecision = decisionTime(t) + bars.interval.ms;
    const deadline = session.closeMs - rules.flat_before_close_minutes * 60_000;
    return nextDecision > deadline || nextDecision >= session.closeMs;
  };
  const inHours = (t: number): boolean => {
    if (mustBeFlat(t)) return false;
    if (rules.trading_windows === null) return true;
    const local = new Date(decisionTime(t) + calendar.utcOffsetMs(decisionTime(t))).toISOString().slice(11, 23);
    return rules.trading_windows.some(([from, to]) =>
      from < to
        ? local >= `${from}:00.000` && local < `${to}:00.000`
        : local >= `${from}:00.000` || local < `${to}:00.000`,
    );
  };
  const ema = (t: number): number | null => {
    const period = exits.ema_rule?.period ?? 1;
    const closes = Array.from(bars.close.slice(window.segment.start, t + 1));
    if (closes.length < period) return null;
    let value = closes.slice(0, period).reduce((sum, close) => sum + close, 0) / period;
    for (const close of closes.slice(period)) value += (2 / (period + 1)) * (close - value);
    return value;
  };

  // ---- prices and quantities as the exchange accepts them
  const onTick = (price: number, side: number): number => {
    const band = instrument.ticks.filter(({ lowEdge }) => price >= lowEdge).at(-1) ?? instrument.ticks[0];
    const ticks = price / band.increment;
    const whole = side > 0 ? Math.ceil(ticks - 1e-6) : Math.floor(ticks + 1e-6);
    return clean(whole * band.increment);
  };
  const lots = (quantity: number): number => Math.floor(quantity / instrument.lotSize + 1e-6) * instrument.lotSize;
  /** A level on tick, in adjusted prices. */
  const level = (tradable: number, side: number, t: number): number => onTick(tradable, side) * factor(t);

  // ---- the ledger: nothing but the fills and the borrow charges
  const fills: SlowFill[] = [];
  const borrows: number[] = [];
  const units = (): number => {
    let sum = 0;
    for (const { quantity, bar } of fills) {
      sum += quantity / factor(bar);
      if (Math.abs(sum) < 1e-9) sum = 0;
    }
    return sum;
  };
  const shares = (t: number): number => units() * factor(t);
  const equityAt = (t: number): number =>
    initialEquity -
    fills.reduce((sum, { quantity, price, commission }) => sum + quantity * price + commission, 0) -
    borrows.reduce((sum, charge) => sum + charge, 0) +
    units() * bars.close[t];

  const commissionOf = (quantity: number, price: number, t: number): number => {
    const n = Math.abs(quantity);
    if (costs.model === 'none') return 0;
    if (costs.model === 'percent') return (n * price * costs.percent_bps) / 10_000;
    const fixed = Math.min(Math.max(0.005 * n, 1), 0.01 * n * price);
    return quantity < 0 ? fixed + regulatoryFees(n, price, feePeriodOf(dayOf(t))) : fixed;
  };

  const position: { levels: Levels | null } = { levels: null };
  let cycles: { day: number; count: number } = { day: -1, count: 0 };
  let emaAsks = false;

  const fill = (t: number, quantity: number, base: number, price: number, reason: FillReason): void => {
    const side = Math.sign(quantity);
    const opens = units() === 0;
    fills.push({ bar: t, quantity, price, base, commission: commissionOf(quantity, price, t), reason });
    if (opens) {
      cycles = { day: dayOf(t), count: cycles.day === dayOf(t) ? cycles.count + 1 : 1 };
      const stops = [exits.initial_stop, exits.trailing_stop].filter((distance) => distance !== null);
      const stopLevels = stops.map((distance) => level(price * (1 - side * distance), -side, t));
      const stages = [...exits.take_profit].sort((a, b) => a.gain - b.gain);
      position.levels = {
        entry: price * factor(t),
        initialUnits: Math.abs(quantity) / factor(t),
        best: price * factor(t),
        stop: stopLevels.length === 0 ? null : side > 0 ? Math.max(...stopLevels) : Math.min(...stopLevels),
        targets: stages.map(({ gain, fraction }) => ({ level: level(price * (1 + side * gain), -side, t), fraction })),
        stagesLeft: stages.map((_, k) => k),
      };
    }
    if (units() === 0) {
      position.levels = null;
      emaAsks = false;
    }
  };
  /** An order that takes the price on offer. */
  const take = (t: number, quantity: number, base: number, limit: number | null, reason: FillReason): void => {
    const side = Math.sign(quantity);
    const away = (costs.spread_bps / 2 + costs.slippage_bps) / 10_000;
    let price = base * (1 + side * away);
    if (limit !== null) price = side > 0 ? Math.min(price, limit) : Math.max(price, limit);
    fill(t, quantity, base, onTick(price, side), reason);
  };
  /** An order that rested at its price. */
  const rest = (t: number, quantity: number, price: number, reason: FillReason): void =>
    fill(t, quantity, price, onTick(price, Math.sign(quantity)), reason);

  const closeStage = (t: number, price: number): void => {
    if (position.levels === null) return;
    const held = shares(t);
    const side = Math.sign(held);
    const k = position.levels.stagesLeft.shift();
    if (k === undefined) return;
    const { level: target, fraction } = position.levels.targets[k];
    const isLast = k === position.levels.targets.length - 1;
    const all = Math.abs(exits.take_profit.reduce((sum, stage) => sum + stage.fraction, 0) - 1) < 1e-9;
    const wanted =
      isLast && all
        ? Math.abs(held)
        : Math.min(lots(fraction * position.levels.initialUnits * factor(t)), Math.abs(held));
    if (wanted === 0) return;
    const tradableTarget = clean(target / factor(t));
    if (side * price >= side * tradableTarget) take(t, -side * wanted, price, tradableTarget, 'take-profit');
    else rest(t, -side * wanted, tradableTarget, 'take-profit');
  };

  const steps: SlowStep[] = [];
  let late: SlowOrder | null = null;
  for (let step = 0, t = first; t < last; step++, t++) {
    // ---- the decision at the close of t
    const before = fills.length;
    const equityBefore = equityAt(t);
    const closeT = clean(bars.close[t] / factor(t));
    const held = shares(t);
    const actsToday = !daily && calendar.sessionAt(decisionTime(t))?.dayId === dayOf(t);
    const cyclesThen = actsToday && cycles.day === dayOf(t) ? cycles.count : 0;
    const mayEnter = inHours(t) && cyclesThen < (rules.max_cycles_per_day ?? Infinity);
    const size = (share: number): number =>
      equityBefore > 0 ? lots((config.position_fraction * share * equityBefore) / closeT) : 0;
    let order: SlowOrder | null = null;
    if (held !== 0 && (emaAsks || mustBeFlat(t))) {
      order = {
        kind: 'close',
        units: -units(),
        limit: null,
        reason: emaAsks ? 'ema' : 'flat-before-close',
        forced: true,
      };
      late = null;
    } else {
      let quantity = 0;
      let kind: SlowOrder['kind'] = 'open';
      if (config.actions === 'discrete') {
        const side = actions[step] === 1 ? 1 : actions[step] === 2 ? -1 : 0;
        const allowed = mayEnter && (side > 0 || config.direction === 'long_short');
        if (held === 0) quantity = allowed ? side * size(1) : 0;
        else if (side === -Math.sign(held)) {
          quantity = -held;
          kind = 'close';
        }
      } else {
        const share = config.direction === 'long_only' ? Math.max(actions[step], 0) : actions[step];
        const wanted = Math.sign(share) * size(Math.abs(share));
        if (held === 0) quantity = mayEnter ? wanted : 0;
        else if (wanted === 0 || Math.sign(wanted) !== Math.sign(held)) {
          quantity = -held;
          kind = 'close';
        } else {
          quantity = Math.sign(wanted - held) * lots(Math.abs(wanted - held));
          kind = 'adjust';
          if (Math.abs(wanted) > Math.abs(held) && !inHours(t)) quantity = 0;
          if (quantity === -held) kind = 'close';
        }
      }
      if (quantity !== 0) {
        const side = Math.sign(quantity);
        const limit =
          config.order.type === 'limit'
            ? level(closeT * (1 + (side * config.order.buffer_bps) / 10_000), side, t)
            : null;
        const reason = config.actions === 'target' ? 'target' : side > 0 ? 'buy' : 'sell';
        const placed: SlowOrder = { kind, units: quantity / factor(t), limit, reason, forced: false };
        late = config.noise.delay === 1 ? placed : null;
        order = late === null ? placed : null;
      } else if (late !== null) {
        const grows = late.kind === 'adjust' && Math.sign(late.units) === Math.sign(held);
        const refused = (late.kind === 'open' && !mayEnter) || (grows && !inHours(t));
        order = refused ? null : late;
        late = null;
      }
    }

    // ---- overnight
    const bar = t + 1;
    const nights = dayOf(bar) - dayOf(t);
    let borrow = 0;
    if (held < 0 && nights > 0) {
      borrow = (-held * Math.ceil(1.02 * closeT - 1e-9) * costs.borrow_rate * nights) / 360;
      borrows.push(borrow);
    }
    const unitsBefore = units();
    const [open, high, low, close] = [bars.open, bars.high, bars.low, bars.close].map((column) =>
      clean(column[bar] / factor(bar)),
    );

    // ---- 1. the open: resting exits, which cancel a discretionary order
    if (position.levels !== null) {
      const side = Math.sign(shares(bar));
      const stop = position.levels.stop === null ? null : clean(position.levels.stop / factor(bar));
      if (stop !== null && side * open <= side * stop) take(bar, -shares(bar), open, null, 'stop');
      else {
        while (position.levels !== null && position.levels.stagesLeft.length > 0) {
          const target: number = clean(position.levels.targets[position.levels.stagesLeft[0]].level / factor(bar));
          if (side * open < side * target) break;
          closeStage(bar, open);
        }
      }
      if (fills.length > before && order !== null && !order.forced) order = null;
    }
    // ---- the order
    let liveFrom = open;
    let openedWithin = false;
    let leaveAt: { limit: number; quantity: () => number; reason: FillReason } | null = null;
    if (order !== null) {
      const placed = order;
      const now = shares(bar);
      let quantity = Math.sign(placed.units) * lots(Math.abs(placed.units) * factor(bar));
      if (placed.kind === 'close') quantity = -now;
      if (placed.kind === 'adjust' && Math.sign(quantity) !== Math.sign(now) && Math.abs(quantity) > Math.abs(now))
        quantity = -now;
      const noCycleLeft = cycles.day === dayOf(bar) && cycles.count >= (rules.max_cycles_per_day ?? Infinity);
      const isVoid = placed.kind === 'open' ? now !== 0 || noCycleLeft : now === 0;
      if (!isVoid && quantity !== 0) {
        const side = Math.sign(quantity);
        const limit = placed.limit === null ? null : onTick(placed.limit / factor(bar), side);
        if (limit === null || side * open <= side * limit) take(bar, quantity, open, limit, placed.reason);
        else if (now !== 0 && side !== Math.sign(now)) {
          const asWhole = placed.kind === 'close';
          const atMost = Math.abs(quantity);
          leaveAt = {
            limit,
            reason: placed.reason,
            quantity: () => side * (asWhole ? Math.abs(shares(bar)) : Math.min(atMost, Math.abs(shares(bar)))),
          };
        } else if (side > 0 ? low < limit : high > limit) {
          if (now === 0) {
            liveFrom = limit;
            openedWithin = true;
          }
          rest(bar, quantity, limit, placed.reason);
        }
      }
    }
    // ---- 2. within the bar
    if (units() !== 0) {
      const side = Math.sign(shares(bar));
      const worst = side > 0 ? low : high;
      const best = openedWithin ? close : side > 0 ? high : low;
      const current: Levels | null = position.levels;
      const stop = current === null || current.stop === null ? null : clean(current.stop / factor(bar));
      if (stop !== null && side * worst <= side * stop) {
        take(bar, -shares(bar), side > 0 ? Math.min(stop, liveFrom) : Math.max(stop, liveFrom), null, 'stop');
      } else {
        for (;;) {
          const now: Levels | null = position.levels;
          if (now === null) break;
          const next: number | null =
            now.stagesLeft.length === 0 ? null : clean(now.targets[now.stagesLeft[0]].level / factor(bar));
          const targetHit = next !== null && side * best >= side * next;
          const limitFirst = leaveAt !== null && (next === null || side * leaveAt.limit < side * next);
          if (targetHit && !limitFirst) closeStage(bar, liveFrom);
          else break;
        }
        if (leaveAt !== null && units() !== 0 && (side > 0 ? high > leaveAt.limit : low < leaveAt.limit)) {
          rest(bar, leaveAt.quantity(), leaveAt.limit, leaveAt.reason);
        }
      }
    }
    // ---- 3. the close
    const floor = config.minimum_equity * initialEquity + initialEquity / 1e9;
    const ruined = equityAt(bar) <= floor;
    if (units() !== 0 && (ruined || bar === last))
      take(bar, -shares(bar), close, null, ruined ? 'ruin' : 'end-of-data');
    const terminated = ruined || equityAt(bar) <= floor;
    if (!terminated && bar < last && position.levels !== null) {
      const side = Math.sign(shares(bar));
      const now: Levels = position.levels;
      const favourable = (openedWithin ? close : side > 0 ? high : low) * factor(bar);
      now.best = side > 0 ? Math.max(now.best, favourable) : Math.min(now.best, favourable);
      const raise = (tradable: number): void => {
        const raised = level(tradable, -side, bar);
        now.stop = now.stop === null ? raised : side > 0 ? Math.max(now.stop, raised) : Math.min(now.stop, raised);
      };
      const best = clean(now.best / factor(bar));
      const entry = clean(now.entry / factor(bar));
      if (exits.trailing_stop !== null) raise(best * (1 - side * exits.trailing_stop));
      if (exits.fixed_stop !== null && side * (best / entry - 1) >= exits.fixed_stop.gain - 1e-9) {
        raise(entry * (1 + side * exits.fixed_stop.level));
      }
      const average = exits.ema_rule === null ? null : ema(bar);
      if (exits.ema_rule !== null && average !== null && side * bars.close[bar] < side * average) {
        if (exits.ema_rule.action === 'exit') emaAsks = true;
        else raise(close * (1 - side * (1 - exits.ema_rule.tighten_to)));
      }
    }

    // ---- the account of the bar, at base prices: what was held over, and what each fill gained by the close
    const today = fills.slice(before);
    const profit =
      unitsBefore * (bars.close[bar] - bars.close[t]) +
      today.reduce((sum, f) => sum + f.quantity * (close - f.base), 0);
    const paid = today.reduce((sum, f) => sum + f.commission + f.quantity * (f.price - f.base), borrow);
    steps.push({
      bar,
      fills: today,
      equity: equityAt(bar),
      position: shares(bar),
      costs: paid,
      profit,
      terminated,
      truncated: bar === last && !terminated,
    });
    if (terminated) break;
  }
  return steps;
}
