import { expect, it } from 'vitest';
import { EpisodeWindow } from './episode-window.js';

it('means are over the last 100 episodes, and survive a state', () => {
  const window = new EpisodeWindow();
  expect(window.returnMean).toBeNull();
  window.add(3, 10);
  window.add(5, 20);
  expect([window.returnMean, window.lengthMean]).toEqual([4, 15]);
  for (let i = 0; i < 100; i++) window.add(1, 7);
  expect([window.returnMean, window.lengthMean, window.finished]).toEqual([1, 7, 102]);
  const copy = new EpisodeWindow();
  copy.setState(window.getState());
  for (const both of [window, copy]) both.add(101, 7);
  expect(copy.getState()).toEqual(window.getState());
  expect(copy.returnMean).toBe(2);
});
