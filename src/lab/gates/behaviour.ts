/** How the policy behaves on bars that it never saw: enough trades, no collapse, no reckless drawdown or turnover. */
import { decimal, percent, whole } from '#src/report/format.js';
import { plainText } from '#src/report/text-table.js';
import type { GateSection } from './definition.js';
import type { HeldOut } from './held-out.js';
import type { Found } from './outcome.js';

type Settings<K extends keyof GateSection> = NonNullable<GateSection[K]>;

export function tradesFound({ result }: HeldOut, { at_least: least }: Settings<'trades'>): Found {
  const { trades, bars } = result.agent.performance;
  const passes = trades >= least;
  return {
    measured: whole(trades),
    passes,
    why: passes
      ? `${whole(trades)} round trips over ${whole(bars)} bars`
      : `${whole(trades)} round trips over ${whole(bars)} bars say little of a policy: take a longer test window (data.test), or an agent that trades`,
    evidence: { trades, bars },
  };
}

export function drawdownFound({ result }: HeldOut, { at_most: most }: Settings<'max_drawdown'>): Found {
  const { maxDrawdown, maxDrawdownDays, maxDrawdownRecovered } = result.agent.performance;
  const hold = result.baselines.find(({ name }) => name === 'hold')?.performance.maxDrawdown ?? null;
  const depth = -maxDrawdown;
  const passes = depth <= most;
  const facts = `${percent(depth)} under a peak, ${whole(maxDrawdownDays)} days${maxDrawdownRecovered ? ' until it was reached again' : ' and not yet back'}; buy-and-hold fell ${percent(hold === null ? null : -hold)}`;
  return {
    measured: percent(depth),
    passes,
    why: passes ? facts : `${facts}: give it exits (env.exits) or a smaller position (env.position_fraction)`,
    evidence: { maxDrawdown, hold },
  };
}

export function turnoverFound({ result }: HeldOut, { at_most: most }: Settings<'turnover'>): Found {
  const { turnoverPerYear, costsShare, trades } = result.agent.performance;
  const passes = turnoverPerYear <= most;
  const facts = `the account is traded over ${decimal(turnoverPerYear, 1)} times a year; costs took ${percent(costsShare, 2)} of it`;
  return {
    measured: `${decimal(turnoverPerYear, 1)} a year`,
    passes,
    why: passes
      ? facts
      : `${facts}: let costs teach it (env.costs), or limit its cycles (env.rules.max_cycles_per_day)`,
    evidence: { turnoverPerYear, costsShare, trades },
  };
}

export function collapseFound({ result }: HeldOut, settings: Settings<'collapse'>): Found {
  const { labels, shares, entropy } = result.actions;
  const most = Math.max(...shares);
  const label = labels[shares.indexOf(most)];
  const trades = result.agent.performance.trades;
  // "hold" keeps a position that an action has opened
  const limit = label === 'hold' && trades > 0 ? settings.hold_share_at_most : settings.share_at_most;
  const passes = most <= limit;
  const facts = `"${label}" is ${percent(most)} of the decisions, of which ${percent(limit)} are allowed; entropy ${decimal(entropy)} of 1`;
  const always = result.alarms.find(({ code }) => code === 'always-in-position');
  return {
    measured: `${label} ${percent(most)}`,
    passes,
    why: passes
      ? always === undefined
        ? facts
        : `${facts}. ${plainText(always.message).replace(/\.$/, '')}`
      : `${facts}: it has collapsed to one action; train it with more entropy (agent.ent_coef) or for longer`,
    evidence: { labels, shares, entropy },
  };
}
