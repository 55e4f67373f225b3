/**
 * How much text a template value would be when written out.
 *
 * Lists and objects of the template language share their parts: forty times `a = [a, a]` is small in memory and 2^40
 * entries in text. So every value is measured, not walked by the writer; measures of lists and plain objects, which
 * cannot change, are kept.
 */

import { templateLimits as limits } from "./template-limits.ts";
import { TextError } from "./text-error.ts";

/** What the library's values have in common; it does not export their classes. */
export interface TemplateValue {
  readonly type: string;
  readonly value: unknown;
}

interface Measure {
  /** UTF-16 units, not counting escapes. */
  readonly text: number;
  readonly entries: number;
  readonly depth: number;
  /** A namespace can change, and whatever holds one with it. */
  readonly fixed: boolean;
}

export type Measures = WeakMap<object, Measure>;

const scalar: Measure = { text: 0, entries: 1, depth: 0, fixed: true };

/** Throws {@link TextError} `too-large` or `too-deep` for a value beyond the limits. */
export function checkSize(value: TemplateValue, measures: Measures): Measure {
  return measure(value, measures, 0);
}

function measure(value: TemplateValue, measures: Measures, above: number): Measure {
  if (typeof value.value === "string") return checked({ ...scalar, text: value.value.length });
  const parts = partsOf(value);
  if (parts === undefined) return scalar;
  const known = measures.get(value);
  if (known !== undefined) return known;
  if (above > limits.depth) throw new TextError("too-deep", `a value nested deeper than ${limits.depth} levels`);
  let text = 0;
  let entries = 1;
  let depth = 0;
  let fixed = value.type !== "NamespaceValue";
  for (const [key, part] of parts) {
    const inner = measure(part, measures, above + 1);
    text += inner.text + key;
    entries += inner.entries;
    depth = Math.max(depth, inner.depth + 1);
    fixed &&= inner.fixed;
    checked({ text, entries, depth, fixed });
  }
  const whole = checked({ text, entries, depth, fixed });
  if (fixed) measures.set(value, whole);
  return whole;
}

/** Length of the key and value of each part; undefined for what has no parts. */
function partsOf(value: TemplateValue): Iterable<readonly [key: number, part: TemplateValue]> | undefined {
  if (Array.isArray(value.value)) return value.value.map((part: TemplateValue) => [0, part] as const);
  if (!(value.value instanceof Map)) return undefined;
  return [...value.value].map(([key, part]: [string, TemplateValue]) => [key.length, part] as const);
}

function checked(size: Measure): Measure {
  if (size.text > limits.output) {
    throw new TextError("too-large", `a text of more than ${limits.output} characters`);
  }
  if (size.entries > limits.entries) throw new TextError("too-large", `a value of more than ${limits.entries} entries`);
  if (size.depth > limits.depth) throw new TextError("too-deep", `a value nested deeper than ${limits.depth} levels`);
  return size;
}
