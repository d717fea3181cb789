/** The limits and policies of care of a deployment, as a YAML file: `openbell live --policy FILE`. */
import * as z from 'zod';
import { nearestKey } from '#src/config/suggest.js';
import { placeKey, readYamlFile, shownPath } from '#src/config/yaml-source.js';
import { fail } from '#src/errors.js';
import { DEFAULT_CARE, DEFAULT_RISK, type CarePolicy, type RiskLimits } from '../core/config.js';

export interface DeploymentPolicy {
  /** Over all sleeves, in the account's currency; null: the bundle's initial equity. */
  readonly equity: number | null;
  readonly risk: RiskLimits;
  readonly care: CarePolicy;
}

export const DEFAULT_POLICY: DeploymentPolicy = { equity: null, risk: DEFAULT_RISK, care: DEFAULT_CARE };

const amount = z.number().positive();
const share = z.number().gt(0).max(1);

const risk = z.strictObject({
  max_order_quantity: amount.nullable().default(DEFAULT_RISK.max_order_quantity),
  max_order_notional: amount.nullable().default(DEFAULT_RISK.max_order_notional),
  max_position_notional: amount.nullable().default(DEFAULT_RISK.max_position_notional),
  max_orders_per_minute: z.int().min(1).default(DEFAULT_RISK.max_orders_per_minute),
  max_daily_loss: share.nullable().default(DEFAULT_RISK.max_daily_loss),
  max_drawdown: share.nullable().default(DEFAULT_RISK.max_drawdown),
});

const care = z.strictObject({
  protect_outside_rth: z.boolean().default(DEFAULT_CARE.protect_outside_rth),
  protect_within_seconds: amount.default(DEFAULT_CARE.protect_within_seconds),
  stale_after_seconds: amount.default(DEFAULT_CARE.stale_after_seconds),
  close_when_stale_seconds: amount.default(DEFAULT_CARE.close_when_stale_seconds),
  decide_within_seconds: amount.default(DEFAULT_CARE.decide_within_seconds),
  quarantine_seconds: z.number().min(1).default(DEFAULT_CARE.quarantine_seconds),
  foreign: z.enum(['refuse', 'ignore']).default(DEFAULT_CARE.foreign),
  before_open: z.enum(['as_decided', 'limit', 'none']).default(DEFAULT_CARE.before_open),
  on_shutdown: z.enum(['leave', 'close']).default(DEFAULT_CARE.on_shutdown),
  price_band: share.default(DEFAULT_CARE.price_band),
});

const policySchema = z.strictObject({
  equity: amount.nullable().default(null),
  risk: risk.prefault({}),
  care: care.prefault({}),
});

const KEYS = [
  'equity',
  'risk',
  'care',
  ...Object.keys(DEFAULT_RISK).map((key) => `risk.${key}`),
  ...Object.keys(DEFAULT_CARE).map((key) => `care.${key}`),
];

/** Throws CONFIG_FILE, CONFIG_SYNTAX, CONFIG_UNKNOWN_KEY and CONFIG_VALUE, with file, line and key. */
export function readPolicy(file: string): DeploymentPolicy {
  const { tree, places } = readYamlFile(file);
  const result = policySchema.safeParse(tree);
  if (result.success) return result.data;
  const issues = result.error.issues;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue.code === 'unrecognized_keys') {
    const keys = [...issue.path, issue.keys[0]];
    const key = keys.map(String).join('.');
    const near = nearestKey(key, KEYS);
    return fail('CONFIG_UNKNOWN_KEY', {
      where: places.get(placeKey(keys)) ?? shownPath(file),
      value: key,
      message: near === null ? `there is no such key; there are ${KEYS.join(', ')}` : `did you mean "${near}"?`,
    });
  }
  const key = issue.path.map(String).join('.');
  return fail('CONFIG_VALUE', {
    where: `${places.get(placeKey(issue.path)) ?? shownPath(file)} ${key}`,
    value: valueAt(tree, issue.path),
    message: issue.message.replace(/^Invalid input: /, ''),
  });
}

function valueAt(tree: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (node, key) => (typeof node === 'object' && node !== null ? Reflect.get(node, key) : undefined),
    tree,
  );
}
