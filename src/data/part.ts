/**
 * A part of a data set by its name: "NAME[FROM..TO]" has the bars that open in [FROM, TO), as dates or instants; either may
 * be left out. So two data sets of one symbol can follow one another, where the older file reaches into the newer one's time.
 */

export interface DatasetPart {
  /** The whole: a name or a path. */
  readonly dataset: string;
  /** null: from the first bar, to the last. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Null where the name means all of a data set. */
export function parsePart(name: string): DatasetPart | null {
  const match = /^(.+)\[([^[\]]*?)\.\.([^[\]]*)\]$/.exec(name);
  if (match === null) return null;
  const [, dataset, from, to] = match;
  return { dataset, from: from === '' ? null : from, to: to === '' ? null : to };
}

/** The bars of `name`, which may be a part already, that open before `to`. */
export function partUntil(name: string, to: string): string {
  const part = parsePart(name);
  return `${part?.dataset ?? name}[${part?.from ?? ''}..${to}]`;
}
