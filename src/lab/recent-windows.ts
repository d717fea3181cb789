/** The end of a training window: what is new in it, and what an incumbent is held to. */
import { firstBarAtOrAfter, type TradingWindow } from '#env/market/bars.js';
import { windowsBySymbol } from './evaluate-paths.js';

/** The last decisions of the windows, about `count` of them over all symbols together; a symbol that has fewer gives all. */
export function lastDecisions(windows: readonly TradingWindow[], count: number): TradingWindow[] {
  const symbols = [...windowsBySymbol(windows).values()];
  return symbols.flatMap((own) => {
    const chosen: TradingWindow[] = [];
    let wanted = Math.ceil(count / symbols.length);
    for (const window of own.toReversed()) {
      if (wanted <= 0) break;
      const start = Math.max(window.start, window.end - 1 - wanted);
      chosen.unshift({ ...window, start });
      // the last close is no decision: nothing follows that could fill it
      wanted -= window.end - 1 - start;
    }
    return chosen;
  });
}

/** The list is at least so long that the share is met within a twentieth. */
const LEAST_ROUND = 20;

/**
 * Windows for training, which takes turns among them: so many of each that `share` of the episodes take place in bars
 * that open at or after `fromMs`. A window that reaches over that moment is cut there; a piece shorter than `minimumSteps`
 * is left out. Where there are only old or only new bars, the windows are as they were.
 */
export function mixWindows(
  windows: readonly TradingWindow[],
  { fromMs, share, minimumSteps }: { readonly fromMs: number; readonly share: number; readonly minimumSteps: number },
): TradingWindow[] {
  const isLongEnough = ({ start, end }: TradingWindow): boolean => end - 1 - start >= Math.max(1, minimumSteps);
  const cuts = windows.map((window) => {
    const at = Math.min(Math.max(firstBarAtOrAfter(window.bars, fromMs), window.start), window.end);
    return { old: { ...window, end: at }, recent: { ...window, start: at } };
  });
  const old = cuts.map((cut) => cut.old).filter(isLongEnough);
  const recent = cuts.map((cut) => cut.recent).filter(isLongEnough);
  if (old.length === 0 || recent.length === 0) return [...windows];
  const total = Math.max(LEAST_ROUND, Math.ceil(recent.length / share), Math.ceil(old.length / (1 - share)));
  const mixed: TradingWindow[] = [];
  for (let turn = 0, news = 0; turn < total; turn++) {
    const isNew = Math.round((turn + 1) * share) > news;
    mixed.push(isNew ? recent[news % recent.length] : old[(turn - news) % old.length]);
    if (isNew) news += 1;
  }
  return mixed;
}
