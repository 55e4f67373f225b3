/** Numbers as people read them. */

const units = ["bytes", "KB", "MB", "GB", "TB"] as const;

/** `512 bytes`, `4.2 MB`: in thousands, as disks and downloads are counted. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toPrecision(2)} ${units[unit] ?? ""}`;
}

/** `12 s`, `3 min`, `1.5 h`. */
export function secondsText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** `1,234`, `2.09 million`. */
export function countText(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toPrecision(3)} billion`;
  return count >= 1e6 ? `${(count / 1e6).toPrecision(3)} million` : count.toLocaleString("en");
}

/** `152 tokens/s`; null where too few were made to say. */
export function speedText(tokens: number, seconds: number): string | null {
  if (tokens < 1 || seconds <= 0) return null;
  const speed = tokens / seconds;
  return `${speed >= 99.5 ? Math.round(speed) : speed.toPrecision(2)} tokens/s`;
}
