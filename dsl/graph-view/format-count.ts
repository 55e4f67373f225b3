const units = ["", " K", " M", " B", " T", " Q"];

/** Three to four digits a person can take in: `512`, `7.17 K`, `926.7 M`, `671.9 B`. */
export function shortCount(count: number): string {
  if (!Number.isFinite(count)) return "too many";
  let unit = 0;
  let value = count;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (value >= 1e6) return value.toExponential(2);
  if (unit === 0) return String(Math.round(value * 100) / 100);
  return `${value.toFixed(value < 9.995 ? 2 : 1)}${units[unit] ?? ""}`;
}

/** Every digit, in groups: `671,877,944,064`. Beyond 2^53 a number no longer has every digit. */
export function longCount(count: number): string {
  if (!Number.isSafeInteger(count)) return shortCount(count);
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A share of a whole: `97.4 %`; a part that is there but hardly is `< 0.1 %`. */
export function percent(part: number, whole: number): string {
  if (!(whole > 0) || !Number.isFinite(whole)) return "";
  const value = (part / whole) * 100;
  if (value > 0 && value < 0.1) return "< 0.1 %";
  return `${value.toFixed(value < 10 ? 1 : 0)} %`;
}
