export { matchTurnover, randomActor } from './random.js';
export type { SwitchProbabilities, TurnoverRecord } from './random.js';
export { flatActor, holdActor, smaCrossActor } from './rules.js';
