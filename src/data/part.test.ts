import { describe, expect, it } from 'vitest';
import { loadDataset } from './load.js';
import { parsePart, partUntil } from './part.js';

describe('a part of a data set', () => {
  it('is named by its first instant and the one after it', async () => {
    expect(parsePart('aapl-daily')).toBeNull();
    expect(parsePart('aapl-daily[2014-01-02..]')).toEqual({ dataset: 'aapl-daily', from: '2014-01-02', to: null });
    const whole = await loadDataset('aapl-daily');
    const part = await loadDataset('aapl-daily[2014-01-02..2014-01-07]');
    expect(Array.from(part.openTimeMs, (timeMs) => new Date(timeMs).toISOString().slice(0, 10))).toEqual([
      '2014-01-02',
      '2014-01-03',
      '2014-01-06',
    ]);
    expect(part.sha256).toBe(whole.sha256);
    expect(
      (await loadDataset('aapl-daily[..2014-01-02]')).length + (await loadDataset('aapl-daily[2014-01-02..]')).length,
    ).toBe(whole.length);
  });

  it('is cut short again', () => {
    expect(partUntil('aapl-daily', '2014-01-02')).toBe('aapl-daily[..2014-01-02]');
    expect(partUntil('aapl-daily[2013-06-03..2015-01-02]', '2014-01-02')).toBe('aapl-daily[2013-06-03..2014-01-02]');
  });

  it('is refused where no bar lies in it, or its ends are no dates', async () => {
    await expect(loadDataset('aapl-daily[2030-01-01..]')).rejects.toThrow(
      'DATA_WINDOW aapl-daily[2030-01-01..]: no bar lies in this part: the data set runs from 2013-05-13 to 2018-05-11',
    );
    await expect(loadDataset('aapl-daily[soon..]')).rejects.toThrow(
      /^DATA_TIME aapl-daily\[soon..\] "soon": not a date/,
    );
    await expect(loadDataset('aapl-dayly[2014-01-02..]')).rejects.toThrow('did you mean "aapl-daily"?');
  });
});
