import { describe, expect, it } from 'vitest';
import { parseSeeds } from './seeds.js';

describe('parseSeeds', () => {
  it('counts up from the first seed', () => {
    expect(parseSeeds('3', 0)).toEqual([0, 1, 2]);
    expect(parseSeeds(' 2 ', 7)).toEqual([7, 8]);
  });

  it('reads lists and ranges in their order', () => {
    expect(parseSeeds('1,5,9', 0)).toEqual([1, 5, 9]);
    expect(parseSeeds('0-3', 9)).toEqual([0, 1, 2, 3]);
    expect(parseSeeds('7, 0-2', 9)).toEqual([7, 0, 1, 2]);
    expect(parseSeeds('5-5', 0)).toEqual([5]);
  });

  it.each([
    ['0', 'is a count of seeds'],
    ['10001', 'is a count of seeds'],
    ['', 'write a count'],
    ['-3', 'write a count'],
    ['1.5', 'write a count'],
    ['1,', 'write a count'],
    ['1;2', 'write a count'],
    ['9-0', 'runs backwards: write 0-9'],
    ['1,2,1', 'names seed 1 twice'],
    ['0-4,3', 'names seed 3 twice'],
    ['0-10000', 'more than 10000'],
    ['4294967290-4294967296', 'at most 4294967295'],
    ['99999999999999999999', 'is a count of seeds'],
  ])('refuses %s', (text, reason) => {
    expect(() => parseSeeds(text, 0)).toThrow(reason);
  });

  it('refuses a count that goes beyond the largest seed', () => {
    expect(parseSeeds('2', 4294967294)).toEqual([4294967294, 4294967295]);
    expect(() => parseSeeds('3', 4294967294)).toThrow('beyond the largest');
  });
});
