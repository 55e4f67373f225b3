/** Exact integers and fractions: plain numbers while they are safe, bigints beyond. */

/** An integer; always a `number` when it is a safe one, so equal values have equal representations. */
export type Int = number | bigint;

/** num / den in lowest terms, den >= 1. */
export interface Rational {
  readonly num: Int;
  readonly den: Int;
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The one representation of an integer. */
export function toInt(n: Int): Int {
  if (typeof n === "number") {
    if (!Number.isSafeInteger(n)) return BigInt(n);
    return n === 0 ? 0 : n;
  }
  return n <= SAFE && n >= -SAFE ? Number(n) : n;
}

export function addInt(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return toInt(BigInt(a) + BigInt(b));
}

export function mulInt(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (Number.isSafeInteger(product)) return product === 0 ? 0 : product;
  }
  return toInt(BigInt(a) * BigInt(b));
}

export function negInt(a: Int): Int {
  return a === 0 ? 0 : toInt(-a);
}

/** floor(a / b) for b > 0. */
export function floorDivInt(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    const rest = a % b;
    return toInt((a - rest) / b - (rest < 0 ? 1 : 0));
  }
  const [n, d] = [BigInt(a), BigInt(b)];
  const quotient = n / d;
  return toInt(n % d < 0n ? quotient - 1n : quotient);
}

/** Greatest common divisor, never negative; gcd(0, 0) = 0. */
export function gcdInt(a: Int, b: Int): Int {
  if (typeof a === "number" && typeof b === "number") {
    let [x, y] = [Math.abs(a), Math.abs(b)];
    while (y !== 0) [x, y] = [y, x % y];
    return x;
  }
  let [x, y] = [BigInt(a), BigInt(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return toInt(x < 0n ? -x : x);
}

/** Least common multiple of two positive integers. */
export function lcmInt(a: Int, b: Int): Int {
  if (a === 1) return b;
  if (b === 1) return a;
  return mulInt(a, floorDivInt(b, gcdInt(a, b)));
}

export const rationalOne: Rational = { num: 1, den: 1 };

/** num / den in lowest terms; den must not be 0. */
export function rational(num: Int, den: Int = 1): Rational {
  if (den === 1) return { num: toInt(num), den: 1 };
  const negative = den < 0;
  const [n, d] = negative ? [negInt(num), negInt(den)] : [toInt(num), toInt(den)];
  const g = gcdInt(n, d);
  return g === 1 ? { num: n, den: d } : { num: exactDivInt(n, g), den: exactDivInt(d, g) };
}

function exactDivInt(a: Int, b: Int): Int {
  return floorDivInt(a, b);
}

export function addRational(a: Rational, b: Rational): Rational {
  if (a.den === 1 && b.den === 1) return { num: addInt(a.num, b.num), den: 1 };
  return rational(addInt(mulInt(a.num, b.den), mulInt(b.num, a.den)), mulInt(a.den, b.den));
}

export function mulRational(a: Rational, b: Rational): Rational {
  if (a.den === 1 && b.den === 1) return { num: mulInt(a.num, b.num), den: 1 };
  return rational(mulInt(a.num, b.num), mulInt(a.den, b.den));
}

export function negRational(a: Rational): Rational {
  return { num: negInt(a.num), den: a.den };
}

/** 1 / a; a must not be 0. */
export function invertRational(a: Rational): Rational {
  return a.num < 0 ? { num: negInt(a.den), den: negInt(a.num) } : { num: a.den, den: a.num };
}

export function floorRational(a: Rational): Int {
  return floorDivInt(a.num, a.den);
}

export function ceilRational(a: Rational): Int {
  return negInt(floorDivInt(negInt(a.num), a.den));
}

/** Negative, zero or positive as a < b, a = b or a > b. */
export function compareRational(a: Rational, b: Rational): number {
  const [left, right] = [mulInt(a.num, b.den), mulInt(b.num, a.den)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const HUGE = 1n << 4096n;

/** Whether a number has outgrown what a size can sensibly be; arithmetic on such numbers is not continued. */
export function isHuge(a: Rational): boolean {
  const over = (n: Int): boolean => typeof n === "bigint" && (n > HUGE || n < -HUGE);
  return over(a.num) || over(a.den);
}

export function printRational(a: Rational): string {
  return a.den === 1 ? String(a.num) : `${a.num}/${a.den}`;
}
