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

/** For what holds a position: the first SIGINT or SIGTERM ends it in good order, the second at once with 130. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write(
      '\nstopping: no more decisions; what is in flight settles (once more to stop at once: what rests at the broker rests on)\n',
    );
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  return controller.signal;
}
