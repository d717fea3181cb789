/** Comparison of results and states to the bit: NaN equals NaN, 0 differs from -0. */

/** The first place where `a` and `b` differ, as `path: a, not b`; null where they are the same bits. */
export function firstDifference(a: unknown, b: unknown, path = ''): string | null {
  if (Object.is(a, b)) return null;
  if (isIndexed(a) && isIndexed(b)) {
    if (a.constructor !== b.constructor) return `${path}: ${a.constructor.name}, not ${b.constructor.name}`;
    if (a.length !== b.length) return `${path}: length ${a.length}, not ${b.length}`;
    for (let i = 0; i < a.length; i++) {
      const found = firstDifference(a[i], b[i], `${path}[${i}]`);
      if (found !== null) return found;
    }
    return null;
  }
  if (isRecord(a) && isRecord(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = firstDifference(a[key], b[key], path === '' ? key : `${path}.${key}`);
      if (found !== null) return found;
    }
    return null;
  }
  return `${path}: ${show(a)}, not ${show(b)}`;
}

type Indexed = {
  readonly length: number;
  readonly [index: number]: unknown;
  readonly constructor: { readonly name: string };
};

function isIndexed(value: unknown): value is Indexed {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function show(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'object') : String(value);
}
