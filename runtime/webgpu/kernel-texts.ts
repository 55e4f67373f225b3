/** A file of kernels, each after a line `//// NAME`. */
export function kernelTexts(file: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const part of `\n${file}`.split("\n//// ").slice(1)) {
    const end = part.indexOf("\n");
    texts.set(part.slice(0, end).trim(), part.slice(end + 1));
  }
  return texts;
}
