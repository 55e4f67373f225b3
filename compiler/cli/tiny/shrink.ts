/** How large a size of a published model is in its twin. */

/** Exponents shrink to 9/20: 7168 becomes 32, 128 becomes 8, 61 becomes 4. */
const numerator = 9n;
const denominator = 20n;

/**
 * 1, 2, or a power of two: 2^floor(9/20 log2 n), at least 2. It keeps the order of sizes, and a quotient of powers of two
 * stays one. In whole numbers, so that no rounding of a logarithm decides.
 */
export function shrunk(size: number): number {
  if (size <= 2) return size;
  const bound = BigInt(size) ** numerator;
  let exponent = 1;
  while (1n << (denominator * BigInt(exponent + 1)) <= bound) exponent += 1;
  return 2 ** exponent;
}

/**
 * Places of `kept` of the items, ascending: one of each different item while there is room, the last one, then the first
 * ones. So a list of layers keeps a layer of each kind, and what stands behind the layers stays behind them.
 */
export function representatives(items: readonly string[], kept: number): readonly number[] {
  const last = items.length - 1;
  const kinds = items.flatMap((item, i) => (items.indexOf(item) === i ? [i] : []));
  const order = [...new Set([last, ...kinds, ...items.keys()])].filter((i) => i >= 0);
  return order.slice(0, kept).sort((a, b) => a - b);
}
