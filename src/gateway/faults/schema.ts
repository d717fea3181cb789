/**
 * Faults as a file or the control channel states them. Durations on the line (stall, latency, ...) are wall time,
 * since that is what a client's timeouts run on; durations of the market and of the broker's data (outages, stale
 * feeds, late corrections) are market time, so that a replay at any speed sees the same.
 */
import * as z from 'zod';
import { fail } from '#src/errors.js';
import { placeKey, readYamlFile, shownPath, type Places } from '#src/config/yaml-source.js';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "500ms", "2s", "5m", "1h", "1d" -> milliseconds. */
const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'a duration such as 500ms, 2s, 5m, 1h')
  .transform((text) => {
    const unit = /[a-z]+$/.exec(text)?.[0] ?? 's';
    return Number.parseFloat(text) * UNIT_MS[unit];
  });

const clientId = z.int().min(0).optional();
const count = z.int().min(1).default(1);

/** Which order is meant: all that is given must fit; nothing given: any. */
const match = z
  .strictObject({
    order_id: z.int().optional(),
    client_id: clientId,
    order_ref: z.string().optional(),
    symbol: z.string().optional(),
    order_type: z.string().optional(),
    action: z.enum(['BUY', 'SELL']).optional(),
  })
  .default({});
export type MatchSpec = z.infer<typeof match>;

const code = z.int().min(100).max(99_999);

export const faultSchema = z.discriminatedUnion('kind', [
  // the line (wall time)
  z.strictObject({
    kind: z.literal('disconnect'),
    how: z.enum(['clean', 'reset', 'half_open']).default('reset'),
    client_id: clientId,
    /** half_open: after this the gateway notices, and the clientId is free again. */
    release: duration.default(30_000),
  }),
  z.strictObject({ kind: z.literal('stall'), duration, client_id: clientId }),
  z.strictObject({ kind: z.literal('silence'), duration, client_id: clientId }),
  z.strictObject({
    kind: z.literal('latency'),
    delay: duration,
    jitter: duration.default(0),
    duration,
    client_id: clientId,
  }),
  z.strictObject({ kind: z.literal('reorder'), window: z.int().min(2).max(64), count, client_id: clientId }),
  z.strictObject({
    kind: z.literal('slow_reader'),
    bytes_per_second: z.int().min(1),
    duration,
    client_id: clientId,
  }),
  z.strictObject({ kind: z.literal('notice'), code, message: z.string().default(''), client_id: clientId }),
  // the gateway and its lines to the broker (outages: market time; a restart: wall time)
  z.strictObject({ kind: z.literal('restart'), down: duration, next_valid_id: z.int().min(1).optional() }),
  z.strictObject({ kind: z.literal('connectivity_lost'), duration, data: z.enum(['lost', 'kept']) }),
  z.strictObject({
    kind: z.literal('farm_broken'),
    farm: z.enum(['market_data', 'historical']).default('market_data'),
    duration,
    /** false: after the farm is back the subscriptions stay dead. */
    data_returns: z.boolean().default(true),
  }),
  z.strictObject({ kind: z.literal('server_link_broken'), duration }),
  // messages of orders
  z.strictObject({ kind: z.literal('lose_status'), match, count }),
  z.strictObject({ kind: z.literal('duplicate_status'), match, count }),
  z.strictObject({ kind: z.literal('lose_execution'), match, count }),
  z.strictObject({ kind: z.literal('duplicate_execution'), match, count }),
  z.strictObject({ kind: z.literal('lose_commission'), match, count }),
  z.strictObject({ kind: z.literal('late_commission'), match, count, delay: duration }),
  z.strictObject({ kind: z.literal('execution_before_status'), match, count }),
  z.strictObject({ kind: z.literal('status_before_execution'), match, count }),
  // matching and market (market time)
  z.strictObject({
    kind: z.literal('reject_order'),
    match,
    code: code.default(201),
    message: z.string().default('Order rejected - reason:Injected fault'),
    with_status: z.boolean().default(true),
  }),
  z.strictObject({
    kind: z.literal('reject_stop'),
    match,
    code: code.default(201),
    message: z.string().default('Order rejected - reason:Injected fault (stop)'),
    with_status: z.boolean().default(true),
  }),
  z.strictObject({
    kind: z.literal('reject_modify'),
    match,
    code: code.default(201),
    message: z.string().default('Order rejected - reason:Injected fault (modification)'),
  }),
  z.strictObject({ kind: z.literal('partial_then_cancel'), match, fraction: z.number().gt(0).lt(1).default(0.5) }),
  z.strictObject({ kind: z.literal('fill_after_cancel'), match, delay: duration.default(1_000) }),
  z.strictObject({
    kind: z.literal('correct_execution'),
    match,
    delay: duration.default(1_000),
    price_offset: z.number().default(0),
    shares_factor: z.int().min(1).default(1),
  }),
  z.strictObject({ kind: z.literal('stale_feed'), symbol: z.string().min(1), duration: duration.optional() }),
  z.strictObject({
    kind: z.literal('market_data_type'),
    type: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
  }),
  z.strictObject({ kind: z.literal('rollback_next_valid_id'), order_id: z.int().min(1) }),
]);
/** A fault, its durations in milliseconds. */
export type Fault = z.infer<typeof faultSchema>;

const trigger = z.union([
  /** Market time since the replay's start, or a moment (ISO 8601 with zone). */
  z.strictObject({
    at: z.union([
      duration.transform((ms) => ({ from: 'start' as const, ms })),
      z.iso.datetime({ offset: true }).transform((text) => ({ from: 'epoch' as const, ms: Date.parse(text) })),
    ]),
  }),
  /** The nth request or message of this type, before or after it is handled. */
  z.strictObject({
    on: z
      .strictObject({
        request: z.string().optional(),
        message: z.string().optional(),
        nth: z.int().min(1).default(1),
        client_id: clientId,
        phase: z.enum(['before', 'after']).default('after'),
      })
      .refine((on) => (on.request === undefined) !== (on.message === undefined), 'name a request or a message'),
  }),
]);
export type Trigger = z.infer<typeof trigger>;

export const RANDOM_KINDS = [
  'disconnect',
  'stall',
  'silence',
  'latency',
  'reorder',
  'connectivity_lost',
  'farm_broken',
  'lose_status',
  'duplicate_status',
  'lose_execution',
  'duplicate_execution',
  'late_commission',
  'execution_before_status',
  'reject_order',
  'reject_modify',
  'partial_then_cancel',
  'fill_after_cancel',
  'correct_execution',
] as const;

export const faultPlanSchema = z.strictObject({
  faults: z.array(z.looseObject({})).default([]),
  /** Faults at random moments of market time. */
  random: z
    .strictObject({
      seed: z.int().min(0),
      per_hour: z.number().positive(),
      kinds: z
        .array(z.enum(RANDOM_KINDS))
        .min(1)
        .default([...RANDOM_KINDS]),
    })
    .optional(),
});

export interface ScriptedFault {
  readonly trigger: Trigger;
  readonly fault: Fault;
}

export interface FaultPlanSpec {
  readonly scripted: readonly ScriptedFault[];
  readonly random: { readonly seed: number; readonly perHour: number; readonly kinds: readonly Fault['kind'][] } | null;
}

export const NO_FAULTS: FaultPlanSpec = { scripted: [], random: null };

/** Reads a fault plan. Throws CONFIG_FILE, CONFIG_SYNTAX, or GATEWAY_FAULT with line, value and what is allowed. */
export function loadFaultPlan(file: string): FaultPlanSpec {
  const { tree, places } = readYamlFile(file);
  return parseFaultPlan(tree, (keys) => placeOf(places, shownPath(file), keys));
}

/** As `loadFaultPlan`, from a tree. `place` says where a key stands. */
export function parseFaultPlan(tree: unknown, place: (keys: readonly PropertyKey[]) => string): FaultPlanSpec {
  const plan = check(faultPlanSchema, tree, place, []);
  const scripted = plan.faults.map((entry, index) => {
    const { at, on, ...fault } = entry;
    const keys = ['faults', index];
    const triggerTree = at !== undefined ? { at } : on !== undefined ? { on } : {};
    if (at !== undefined && on !== undefined)
      fail('GATEWAY_FAULT', { where: place(keys), message: 'a fault has one trigger: `at` or `on`, not both' });
    return {
      trigger: check(trigger, triggerTree, place, keys, 'needs a trigger: `at: 5m` or `on: { request: placeOrder }`'),
      fault: check(faultSchema, fault, place, keys),
    };
  });
  const { random } = plan;
  return {
    scripted,
    random: random === undefined ? null : { seed: random.seed, perHour: random.per_hour, kinds: random.kinds },
  };
}

/** One fault, from the control channel. Throws GATEWAY_FAULT. */
export function parseFault(tree: unknown, where: string): Fault {
  return check(faultSchema, tree, () => where, []);
}

function placeOf(places: Places, file: string, keys: readonly PropertyKey[]): string {
  for (let length = keys.length; length > 0; length--) {
    const found = places.get(placeKey(keys.slice(0, length)));
    if (found !== undefined) return found;
  }
  return file;
}

function check<T>(
  schema: z.ZodType<T>,
  tree: unknown,
  place: (keys: readonly PropertyKey[]) => string,
  base: readonly PropertyKey[],
  hint?: string,
): T {
  const result = schema.safeParse(tree);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const keys = [...base, ...issue.path];
  const value = keys.slice(base.length).reduce<unknown>(step, tree);
  const unknown = issue.code === 'unrecognized_keys' ? `there is no key ${issue.keys.join(', ')} here` : issue.message;
  return fail('GATEWAY_FAULT', {
    where: `${place(keys)}${keys.length > 0 ? ` ${keys.map(String).join('.')}` : ''}`,
    value,
    message: hint ?? `${unknown}; docs/gateway.md lists the faults and their keys`,
  });
}

function step(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
