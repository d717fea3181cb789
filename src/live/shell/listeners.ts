import type { RunnerListener } from './runner.js';

/** One listener that tells all of them, in turn. */
export function together(...listeners: readonly RunnerListener[]): RunnerListener {
  return {
    onAlert: (alert, event) => listeners.forEach((one) => one.onAlert?.(alert, event)),
    onDecision: (decision, event) => listeners.forEach((one) => one.onDecision?.(decision, event)),
    onTrade: (trade, event) => listeners.forEach((one) => one.onTrade?.(trade, event)),
    onOrder: (intent, event) => listeners.forEach((one) => one.onOrder?.(intent, event)),
    onEvent: (event) => listeners.forEach((one) => one.onEvent?.(event)),
  };
}
