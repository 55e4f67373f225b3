/** Which static values fit a declared type. */
import type { TypeNode } from "../../ast/nodes.ts";
import { isIntegerWord } from "../../types/value-type.ts";
import type { Static } from "../context.ts";
import type { Known } from "../static.ts";
import { showKnown } from "../use.ts";

export function checkType(value: Known, type: TypeNode, wrong: (expected: string) => Known): Known {
  const rank = type.axes?.length ?? 0;
  if (rank > 0) {
    const check = (v: Known, depth: number): boolean => {
      if (depth === 0) return scalarFits(v, type) !== undefined;
      return (
        typeof v === "object" &&
        v !== null &&
        "kind" in v &&
        v.kind === "list" &&
        v.items.every((i) => check(i, depth - 1))
      );
    };
    return check(value, rank) ? deep(value, type) : wrong(rank === 1 ? "a list" : `a list of lists`);
  }
  if (type.scalar?.kind === "set-type") {
    if (typeof value === "object" && value !== null && "kind" in value) {
      if (value.kind === "set") return value;
      if (value.kind === "list" && value.items.every((i) => typeof i === "bigint"))
        return { kind: "set", items: value.items };
    }
    return wrong("a list of indices");
  }
  const fits = scalarFits(value, type);
  if (fits !== undefined) return fits;
  const word =
    type.scalar?.kind === "choice-type" ? "text" : type.scalar?.kind === "word" ? type.scalar.word.text : "real";
  const names: Readonly<Record<string, string>> = {
    bool: "true or false",
    text: "a string",
    dim: "a whole number of at least 1",
  };
  return wrong(names[word] ?? (isIntegerWord(word) ? "a whole number" : "a number"));
}

function deep(value: Known, type: TypeNode): Known {
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === "list") {
    return { kind: "list", items: value.items.map((i) => deep(i, type) as Static) };
  }
  return scalarFits(value, type);
}

/** The value where its type fits; big integers may be decimal strings. */
function scalarFits(value: Known, type: TypeNode): Known {
  const { scalar } = type;
  if (scalar?.kind === "choice-type") return typeof value === "string" ? value : undefined;
  if (scalar !== null && scalar.kind !== "word") return typeof value === "bigint" ? value : undefined;
  const word = scalar === null ? "real" : scalar.word.text;
  if (word === "bool") return typeof value === "boolean" ? value : undefined;
  if (word === "text") return typeof value === "string" ? value : undefined;
  if (isIntegerWord(word)) {
    const whole =
      typeof value === "string" && /^-?\d{1,40}$/.test(value)
        ? BigInt(value)
        : typeof value === "number" && Number.isInteger(value)
          ? BigInt(value)
          : value;
    if (typeof whole !== "bigint") return undefined;
    return word === "dim" && whole < 1n ? undefined : whole;
  }
  return typeof value === "bigint" || typeof value === "number" ? value : undefined;
}

export const choicesOf = ({ scalar }: TypeNode): readonly string[] | null =>
  scalar?.kind === "choice-type" ? scalar.choices.map(({ value }) => value) : null;

export const orList = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(" or ");

export const describe = (value: Known): string => {
  const text = showKnown(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};
