/** Order statistics without sorting everything: what a quantile of a million bars needs. */

/**
 * Moves values so that `sample[k]` is what it would be if sorted, smaller ones stand before it and greater ones after
 * (Hoare's FIND with the median of three as pivot). O(n) on average. Returns `sample[k]`.
 *
 * @param sample (n) finite, changed in place
 */
export function selectInPlace(sample: Float64Array, k: number): number {
  let low = 0;
  let high = sample.length - 1;
  while (low < high) {
    const pivot = medianOfThree(sample[low], sample[(low + high) >> 1], sample[high]);
    let i = low;
    let j = high;
    while (i <= j) {
      while (sample[i] < pivot) i += 1;
      while (sample[j] > pivot) j -= 1;
      if (i <= j) {
        const kept = sample[i];
        sample[i] = sample[j];
        sample[j] = kept;
        i += 1;
        j -= 1;
      }
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return sample[k];
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
