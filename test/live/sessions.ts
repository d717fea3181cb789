/** Synthetic sessions of one liquid stock, wild enough to reach stops and targets. */
export { INSTRUMENT, syntheticSessions } from '../../bench/chaos/chance.js';
