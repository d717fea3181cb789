/** A whole number, 1 or more, from the command line. */
import { fail } from '#src/errors.js';

const MOST = 10_000;

/** Throws USAGE naming the option. */
export function parseCount(text: string, option: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MOST)
    fail('USAGE', { where: option, value: text, message: `give a whole number from 1 to ${MOST}` });
  return count;
}
