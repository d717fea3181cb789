/** Answers of `openbell live status` and `replay` in words. */
import * as z from 'zod';
import { fail } from '#src/errors.js';
import { promotionLines } from './promotion-text.js';
import type { JournalReplay } from './replay-journal.js';
import { holdingsText, type RunnerStatus } from './status.js';
import type { StateWithoutRunner } from './without-runner.js';

const ANSWER = z.union([z.strictObject({ error: z.string() }), z.looseObject({ status: z.unknown() })]);
const STATUS = z.looseObject({
  symbols: z.array(z.unknown()),
  ready: z.boolean(),
  bundle: z.string(),
  promotion: z.looseObject({ forced: z.array(z.string()) }),
});
const STARTING = z.looseObject({ account: z.string(), pid: z.number() });

const isStatus = (value: unknown): value is RunnerStatus => STATUS.safeParse(value).success;
const short = (sha256: string): string => sha256.slice(0, 16);
const money = (value: number | null): string =>
  value === null ? 'unknown' : value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** `answer`: of the socket. Throws LIVE_LOCK where it is none that this version understands. */
export function statusText(answer: unknown): string {
  const parsed = ANSWER.safeParse(answer);
  if (!parsed.success || 'error' in parsed.data)
    return fail('LIVE_LOCK', { value: answer, message: 'the runner did not understand: it is of another version' });
  const status: unknown = parsed.data['status'];
  if (isStatus(status))
    return [
      `${status.account}: runner ${status.pid} is alive, ${status.ready ? 'connected and reconciled' : 'NOT connected and reconciled'}${status.paused ? ', paused' : ''}${status.halt === null ? '' : `, ${status.halt.level}: ${status.halt.reason}`}`,
      `${status.name} ${short(status.bundle)}, equity ${money(status.equity)}, journal ${status.journal}`,
      ...promotionLines(status.promotion),
      ...(status.waiting === null ? [] : [status.waiting]),
      ...holdingsText(status.symbols),
    ].join('\n');
  const starting = STARTING.safeParse(status);
  return starting.success
    ? `${starting.data.account}: process ${starting.data.pid} is alive and does not trade yet`
    : fail('LIVE_LOCK', { value: status, message: 'the runner did not understand: it is of another version' });
}

export function stateText(state: StateWithoutRunner): string {
  const { broker } = state;
  return [
    `${state.account}: no runner is alive${state.paused ? '; paused' : ''}${state.halt === null ? '' : `; ${state.halt.level}: ${state.halt.reason}`}`,
    `by the journal (${state.journal}${state.bundle === null ? '' : `, bundle ${short(state.bundle)}`}):`,
    ...holdingsText(state.symbols),
    ...(broker === null
      ? [`the broker cannot be asked: ${state.brokerProblem ?? 'no reason'}`]
      : [
          `the broker: ${broker.positions.length === 0 ? 'no positions' : broker.positions.map(({ symbol, quantity }) => `${symbol} ${quantity}`).join(', ')}; ${broker.ownOrders.length} open orders of ours, ${broker.otherOrders} of others`,
          ...broker.ownOrders.map(
            ({ orderRef, symbol, remaining, price, state: one }) =>
              `  ${remaining} ${symbol} at ${price ?? 'the market'}, ${one} (${orderRef})`,
          ),
        ]),
  ].join('\n');
}

export function replayText({ file, bundle, events, decisions, orders, firstDifference }: JournalReplay): string {
  const head = `${file}, bundle ${bundle === null ? 'unknown' : short(bundle)}`;
  if (firstDifference === null)
    return `${head}\n${events} events repeated: ${decisions} decisions and ${orders} orders, all as the journal has them`;
  const { sequence, event, marketMs, place, journalled, repeated } = firstDifference;
  const show = (value: unknown): string => (value === null ? 'nothing' : JSON.stringify(value).slice(0, 400));
  return [
    head,
    `the first difference is at event ${sequence} (${event}, ${new Date(marketMs).toISOString()}), intent ${place + 1}:`,
    `  journal   ${show(journalled)}`,
    `  repeated  ${show(repeated)}`,
  ].join('\n');
}
