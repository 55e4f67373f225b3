/** The largest number that divides n and is at most `most`; 1 if there is no other. */
export function divisorUpTo(n: number, most: number): number {
  for (let d = Math.min(n, most); d > 1; d -= 1) if (n % d === 0) return d;
  return 1;
}
