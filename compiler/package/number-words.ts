/** Numbers of cards as people read them. */
import { shortCount } from "../../dsl/graph-view/format-count.ts";

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** `512 bytes`, `3.5 KiB`, `25.1 GiB`. */
export function byteText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** `12.3 G`, `73 `: short, with the unit to follow. */
export const countText = (count: number): string => shortCount(count).replace("B", "G").replace(/\d$/, "$& ");

/** `41 ms`, `1.73 s`, `8.1 us`. */
export function secondsText(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${(seconds * 1e6).toPrecision(3)} us`;
}
