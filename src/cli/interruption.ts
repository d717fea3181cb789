/** Ctrl-C, for a command that can go on later. */

/** Aborts on the first SIGINT or SIGTERM; the second finds no handler left and ends the process at once. */
export function interruption(happens: string): AbortSignal {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, stop);
    process.stderr.write(`\ninterrupted: ${happens} (once more to stop at once)\n`);
    controller.abort();
  };
  for (const signal of signals) process.once(signal, stop);
  return controller.signal;
}
