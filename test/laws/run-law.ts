/** Laws of `.ds` files, tried on seeded sizes and arguments. */
import { mulberry32 } from "../../compiler/cli/tiny/seeded-numbers.ts";
import { ElaborationError } from "../../compiler/elaborate/context.ts";
import { type ElaboratedLaw, elaborateLaw, sizesOfLaw } from "../../compiler/elaborate/law.ts";
import { evalDim } from "../../compiler/graph/dim.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor, tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Law } from "../../dsl/ast/nodes.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { readProject } from "../conformance/bind-text.ts";

export interface FoundLaw {
  readonly law: Law;
  readonly run: (sizes: Readonly<Record<string, number>>) => ElaboratedLaw;
  readonly sizes: readonly string[];
}

const cache = newParseCache();

/** Laws that a file declares; `texts` stand for files of the project. */
export function lawsOf(file: string, texts: ReadonlyMap<string, string> = new Map()): readonly FoundLaw[] {
  const checked = checkProject({ entry: file, read: (path) => texts.get(path) ?? readProject(path), cache });
  const [error] = checked.diagnostics.filter(({ severity }) => severity === "error");
  if (error !== undefined) throw new Error(`${file}: ${error.code} ${error.title}`);
  return (checked.files.get(file)?.declarations ?? []).flatMap((law) =>
    law.kind === "law"
      ? [
          {
            law,
            run: (sizes) => elaborateLaw({ law, declared: checked.declared, sizes }),
            sizes: sizesOfLaw(checked.declared(law)),
          },
        ]
      : [],
  );
}

export interface Trial {
  /** Argument values of some case that does not hold; null where all do. */
  readonly failure: string | null;
  /** Cases whose sizes the text takes. */
  readonly held: number;
  /** Sizes of those cases, each `N=4 M=1`. */
  readonly tried: ReadonlySet<string>;
}

const sizesToTry = [1, 2, 3, 4, 5, 7, 8, 16];
/** Where formulas break: zeros of both signs, tiny and huge numbers, equal ones. */
const special = [0, -0, 1e-8, -1e-8, 1e4, -1e4, 1, -1, 0.5];

/**
 * Tries a law on `cases` choices of sizes and arguments. A third of the arguments are special values alone, a third
 * are mixed with them, and some repeat one value.
 */
export function tryLaw({ run, sizes, law }: FoundLaw, cases: number): Trial {
  const next = mulberry32(law.name.text.length * 7919 + cases);
  const below = (n: number): number => next() % n;
  const oneOf = (values: readonly number[]): number => values[below(values.length)] ?? 0;
  const tried = new Set<string>();
  let held = 0;
  for (let i = 0; i < cases; i += 1) {
    const chosen = Object.fromEntries(sizes.map((name) => [name, oneOf(sizesToTry)] as const));
    const made = elaborated(run, chosen);
    if (made === null) continue;
    const share = [0, 2, 6][i % 3] ?? 0;
    const repeated = below(5) === 0 ? oneOf(special) : null;
    const number = (): number => repeated ?? (below(6) < share ? oneOf(special) : (below(2 ** 21) - 2 ** 20) / 2 ** 18);
    const given = new Map(
      [...made.inputs].map(([name, { dims, dtype }]) => {
        const shape = dims.map((d) => evalDim(d, chosen));
        const count = shape.reduce((product, n) => product * n, 1);
        const value = dtype === "i32" ? () => below(201) - 100 : number;
        return [name, tensor(shape, Array.from({ length: count }, value))] as const;
      }),
    );
    held += 1;
    tried.add(sizes.map((name) => `${name}=${chosen[name]}`).join(" "));
    const failure = compare(made, given, chosen);
    if (failure !== null) return { failure, held, tried };
  }
  return { failure: null, held, tried };
}

/** Null where a `require` refuses the sizes. */
function elaborated(run: FoundLaw["run"], sizes: Readonly<Record<string, number>>): ElaboratedLaw | null {
  try {
    return run(sizes);
  } catch (error) {
    if (error instanceof ElaborationError) return null;
    throw error;
  }
}

function compare(
  { graph, relation }: ElaboratedLaw,
  given: ReadonlyMap<string, Tensor>,
  sizes: Readonly<Record<string, number>>,
): string | null {
  const results = interpretSlowly(graph, {
    sizes,
    state: new StateStore(),
    param: (node) => {
      const value = given.get(node.name);
      if (value === undefined) throw new Error(`%${node.name} is not given`);
      return value;
    },
  });
  const [left, right] = results.map((value) => realsOf(value));
  if (left === undefined || right === undefined || left.length !== right.length) return "the sides differ in shape";
  const arguments_ = [...given.values()].flatMap((value) => [...realsOf(value)]);
  const tolerance = toleranceOf(arguments_);
  const at = left.findIndex((l, i) => !agree(l, right[i] ?? Number.NaN, relation === "==" ? 0 : tolerance));
  if (at < 0) return null;
  const shown = [...given].map(([name, value]) => `${name} = [${[...realsOf(value)].map(show).join(", ")}]`);
  return `[${at}]: ${show(left[at])} is not ${relation} ${show(right[at])} for ${JSON.stringify(sizes)} ${shown.join(" ")}`;
}

const show = (value: number | undefined): string => (Object.is(value, -0) ? "-0" : String(value));

/**
 * How far two sides may be apart, as a share of the greater one and of 1: a rounding (2^-53) for each of n arguments in a
 * sum and for some 32 operations beside it, grown by the largest argument, as a rounding of `x` is one of `exp(x)` times x.
 */
const toleranceOf = (values: readonly number[]): number =>
  2 ** -53 * (32 + values.length) * (1 + Math.max(0, ...values.map(Math.abs)));

/** Numbers that are the same, nan included, or near each other. */
function agree(left: number, right: number, tolerance: number): boolean {
  if (Object.is(left, right)) return true;
  if (tolerance === 0 || !Number.isFinite(left) || !Number.isFinite(right)) return left === right && tolerance > 0;
  return Math.abs(left - right) <= tolerance * Math.max(1, Math.abs(left), Math.abs(right));
}
