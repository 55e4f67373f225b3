/**
 * The `normalizer` and `pre_tokenizer` sections of a `tokenizer.json`, checked and restated for the library.
 *
 * Only what is known to give the published ids is let through. Several steps are restated as regex splits, because the
 * library's own version differs from the Rust one: its `Digits` knows ASCII digits only, its `Punctuation` keeps runs
 * together, its `Whitespace` knows ASCII letters only, and its `Metaspace` does not split.
 */
import { asFlag, asList, asObject, asString, field, type JsonObject } from "./read-json.ts";
import { TextError } from "./text-error.ts";
import { tokenizerLimits as limits } from "./tokenizer-limits.ts";

/** A step as the library reads it. */
export type Step = { readonly type: string } & JsonObject;

/** Counts steps over a whole section, so that nesting cannot multiply them. */
interface Budget {
  steps: number;
  growth: number;
}

/** The section as a list of steps, nested sequences flattened; null stands for no steps. */
function flatSteps(
  value: unknown,
  path: string,
  listName: string,
  read: (step: JsonObject, type: string, path: string, budget: Budget) => readonly Step[],
): readonly Step[] {
  const budget: Budget = { steps: 0, growth: 1 };
  const walk = (at: unknown, here: string): readonly Step[] => {
    const step = asObject(at, here);
    const type = asString(field(step, "type"), `${here}.type`);
    budget.steps += 1;
    if (budget.steps > limits.steps)
      throw new TextError("too-large", `more than ${limits.steps} steps`, { path: here });
    if (type !== "Sequence") return read(step, type, here, budget);
    const list = `${here}.${listName}`;
    return asList(field(step, listName), list).flatMap((inner, i) => walk(inner, `${list}[${i}]`));
  };
  return value === undefined || value === null ? [] : walk(value, path);
}

const unsupported = (what: string, type: string, path: string): TextError =>
  new TextError("unsupported", `${what} \`${type.slice(0, 60)}\` is not supported`, { path: `${path}.type` });

function checkGrowth(budget: Budget, factor: number, path: string): void {
  budget.growth *= Math.max(1, factor);
  if (budget.growth > limits.growth) {
    throw new TextError("too-large", `the normalizer could make a text ${limits.growth} times longer`, { path });
  }
}

interface Pattern {
  readonly Regex?: string;
  readonly String?: string;
}

function readPattern(value: unknown, path: string): Pattern {
  const pattern = asObject(value, path);
  const kind = field(pattern, "Regex") === undefined ? "String" : "Regex";
  const text = asString(field(pattern, kind), `${path}.${kind}`);
  if (text.length > limits.patternLength) {
    throw new TextError("too-large", `a pattern of ${text.length} characters`, { path: `${path}.${kind}` });
  }
  if (text === "") throw new TextError("shape", "an empty pattern", { path: `${path}.${kind}` });
  return kind === "Regex" ? { Regex: text } : { String: text };
}

/** How many times longer Unicode normalization can make UTF-16 text (Unicode FAQ, normalization, "maximum expansion"). */
const unicodeGrowth: ReadonlyMap<string, number> = new Map([
  ["NFC", 3],
  ["NFD", 4],
  ["NFKC", 18],
  ["NFKD", 18],
  ["Lowercase", 3],
  ["StripAccents", 1],
]);

export function readNormalizer(value: unknown, path: string): readonly Step[] {
  return flatSteps(value, path, "normalizers", (step, type, here, budget) => {
    const growth = unicodeGrowth.get(type);
    if (growth !== undefined) {
      checkGrowth(budget, growth, here);
      return [{ type }];
    }
    switch (type) {
      case "Prepend": {
        const prepend = asString(field(step, "prepend"), `${here}.prepend`);
        checkGrowth(budget, 1 + prepend.length, `${here}.prepend`);
        return [{ type, prepend }];
      }
      case "Replace": {
        const content = asString(field(step, "content"), `${here}.content`);
        // A pattern may match between all characters, so one character can become itself and the content.
        checkGrowth(budget, 1 + content.length, `${here}.content`);
        return [{ type, pattern: readPattern(field(step, "pattern"), `${here}.pattern`), content: literal(content) }];
      }
      case "Strip":
        return [
          {
            type,
            strip_left: asFlag(field(step, "strip_left"), true, `${here}.strip_left`),
            strip_right: asFlag(field(step, "strip_right"), true, `${here}.strip_right`),
          },
        ];
      default:
        throw unsupported("the normalizer", type, here);
    }
  });
}

/** The library hands `content` to `String.replaceAll`, which gives `$` a meaning that it does not have in the file. */
const literal = (content: string): string => content.replaceAll("$", "$$$$");

const isolated = (regex: string): Step => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior: "Isolated",
  invert: false,
});
const matchesOnly = (regex: string): Step => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior: "Removed",
  invert: true,
});

export function readPreTokenizer(value: unknown, path: string): readonly Step[] {
  return flatSteps(value, path, "pretokenizers", (step, type, here) => {
    switch (type) {
      case "Split":
        return [readSplit(step, here)];
      case "Digits":
        // `char::is_numeric` of Rust: the general categories Nd, Nl and No.
        return [
          isolated(asFlag(field(step, "individual_digits"), false, `${here}.individual_digits`) ? "\\p{N}" : "\\p{N}+"),
        ];
      case "Punctuation":
        return [readPunctuation(step, here)];
      case "Whitespace":
        return [matchesOnly("\\w+|[^\\w\\s]+")];
      case "WhitespaceSplit":
        return [matchesOnly("\\S+")];
      case "ByteLevel":
        return [
          {
            type,
            add_prefix_space: asFlag(field(step, "add_prefix_space"), true, `${here}.add_prefix_space`),
            use_regex: asFlag(field(step, "use_regex"), true, `${here}.use_regex`),
          },
        ];
      case "Metaspace":
        return readMetaspace(step, here);
      default:
        throw unsupported("the pre-tokenizer", type, here);
    }
  });
}

function readSplit(step: JsonObject, path: string): Step {
  const pattern = readPattern(field(step, "pattern"), `${path}.pattern`);
  const behavior = asString(field(step, "behavior"), `${path}.behavior`);
  const invert = asFlag(field(step, "invert"), false, `${path}.invert`);
  // The library does these two as the Rust one does; its other combinations drop text or ignore the behaviour.
  if (!(behavior === "Isolated" && !invert) && !(behavior === "Removed" && invert)) {
    const what = `a split \`${behavior.slice(0, 60)}\`${invert ? ", inverted," : ""} is not supported`;
    throw new TextError("unsupported", what, { path: `${path}.behavior` });
  }
  return { type: "Split", pattern, behavior, invert };
}

function readPunctuation(step: JsonObject, path: string): Step {
  const behavior = field(step, "behavior") ?? "Isolated";
  // ASCII punctuation and symbols, and the general categories P*.
  const one = "[\\p{P}!-/:-@\\[-`{-~]";
  if (behavior === "Isolated") return isolated(one);
  if (behavior === "Contiguous") return isolated(`${one}+`);
  throw new TextError("unsupported", "only Isolated and Contiguous punctuation is supported", {
    path: `${path}.behavior`,
  });
}

function readMetaspace(step: JsonObject, path: string): readonly Step[] {
  const replacement = asString(field(step, "replacement") ?? "▁", `${path}.replacement`);
  if ([...replacement].length !== 1) {
    throw new TextError("shape", "expected one character", { path: `${path}.replacement` });
  }
  const legacy = asFlag(field(step, "add_prefix_space"), true, `${path}.add_prefix_space`) ? "always" : "never";
  const scheme = asString(field(step, "prepend_scheme") ?? legacy, `${path}.prepend_scheme`);
  if (!["always", "first", "never"].includes(scheme)) {
    throw new TextError("unsupported", `the prepend scheme \`${scheme.slice(0, 60)}\``, {
      path: `${path}.prepend_scheme`,
    });
  }
  const metaspace: Step = { type: "Metaspace", replacement, prepend_scheme: scheme };
  if (!asFlag(field(step, "split"), true, `${path}.split`)) return [metaspace];
  const mark = `\\u{${(replacement.codePointAt(0) ?? 0).toString(16)}}`;
  return [metaspace, isolated(`${mark}[^${mark}]*|[^${mark}]+`)];
}
