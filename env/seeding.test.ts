import { expect, it } from 'vitest';
import { RandomStream } from '#env/seeding.js';

it('continues a stream from its state to the bit', () => {
  const stream = new RandomStream(7, 'noise');
  for (let i = 0; i < 100; i++) stream.normal();
  const copy = new RandomStream(8, 'noise');
  copy.setState(stream.getState());
  for (let i = 0; i < 100; i++) expect(copy.normal()).toBe(stream.normal());
});
