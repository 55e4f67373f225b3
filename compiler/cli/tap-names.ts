/** `--taps layer.y,layer.attn.*`: definitions of the text whose values are wanted, by their paths in it. */
import { closest } from "../../dsl/diagnostics/suggest.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import { pathOf } from "../elaborate/unit.ts";
import { isComputed, nodesOf } from "../graph/walk.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

export interface TapNames {
  /** As they were given. */
  readonly names: readonly string[];
  readonly wants: (path: string) => boolean;
}

/** `*` stands for any run of characters. */
const patternOf = (name: string): RegExp =>
  new RegExp(
    `^${name
      .split("*")
      .map((part) => part.replace(/[^\w]/g, "\\$&"))
      .join(".*")}$`,
    "s",
  );

export const noTaps: TapNames = { names: [], wants: () => false };

export function readTapNames(given: string | null): TapNames | Failure {
  if (given === null) return noTaps;
  const names = given.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !/^[\w.*]+$/.test(name));
  if (wrong !== undefined) {
    return new Failure(
      exitCodes.usage,
      `--taps ${given}: \`${wrong}\` is no path`,
      "for example `--taps layer.y,norm.y`",
    );
  }
  const patterns = names.map(patternOf);
  return { names, wants: (path) => patterns.some((pattern) => pattern.test(path)) };
}

const pathsOf = ({ graph, runs }: Elaborated): ReadonlySet<string> =>
  new Set(nodesOf(graph).flatMap((node) => (isComputed(node) ? [pathOf(node.name, runs)] : [])));

/** Null where each name is that of a value which the graph computes. `everything`: the graph with all definitions kept. */
export function resolveTaps({ names }: TapNames, kept: Elaborated, everything: () => Elaborated): Failure | null {
  const paths = pathsOf(kept);
  for (const name of names) {
    const pattern = patternOf(name);
    if ([...paths].some((path) => pattern.test(path))) continue;
    const all = pathsOf(everything());
    const near = closest(name, all) ?? nearByLastStep(name, all);
    const hint = near === null ? listed(name, all) : `did you mean \`${near}\`?`;
    return new Failure(exitCodes.usage, `--taps ${name}: no value that is computed has this name`, hint);
  }
  return null;
}

/** Paths below the part that the name is of, else those there are. */
function listed(name: string, paths: ReadonlySet<string>): string {
  const all = [...paths].sort();
  const part = `${name.split(".").slice(0, -1).join(".")}.`;
  const inPart = all.filter((path) => path.startsWith(part));
  const shown = inPart.length > 0 ? inPart : all;
  return `values have names such as ${shown.slice(0, 16).join(", ")}${shown.length > 16 ? ", …" : ""}`;
}

/** `attn.q` for `layer.attn.q`. */
function nearByLastStep(name: string, paths: Iterable<string>): string | null {
  for (const path of paths) if (path.endsWith(`.${name}`)) return path;
  return null;
}
