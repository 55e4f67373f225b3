/** Recorded models as WebAssembly, through their packages: every logit, however the tokens come, and the same greedy tokens. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../../runtime/package/session.ts";
import { caseNames, loadCase, loadSparseCase, type OracleCase, sparseCaseNames } from "../../oracle/cases.ts";
import { loadReferenceCase, moeCaseNames } from "../../oracle/references.ts";
import { settingsOf, textOf } from "../text-of.ts";
import { type OraclePackage, packOracle } from "./oracle-package.ts";

const full = process.env["DSC_FULL"] === "1";
interface Variant {
  readonly how: string;
  /** Recorded weights are numbers of bf16 and f16 too: nothing is lost. */
  readonly weights: "f32" | "bf16" | "f16";
  readonly threads: number;
  readonly everyday: readonly string[];
}
const variants: readonly Variant[] = [
  { how: "f32", weights: "f32", threads: 1, everyday: ["llama-gqa", "moe-16b", "v3.2"] },
  { how: "bf16, two threads", weights: "bf16", threads: 2, everyday: ["qwen3-yarn"] },
  { how: "f16, three threads", weights: "f16", threads: 3, everyday: ["v2-lite"] },
];
const oracles: readonly OracleCase[] = [
  ...caseNames.map(loadCase),
  ...sparseCaseNames.map(loadSparseCase),
  ...moeCaseNames.map(loadReferenceCase),
];
/** In full mode all in f32, and each in one of the narrow types. */
const isFull = (weights: string, i: number): boolean =>
  full && (weights === "f32" || (weights === "bf16") === (i % 2 === 0));
const cases = variants.flatMap(({ everyday, ...v }) =>
  oracles
    .filter(({ name }, i) => everyday.includes(name) || isFull(v.weights, i))
    .map((oracle) => ({ ...v, oracle, name: oracle.name })),
);

const optionsOf = ({ config }: OracleCase): readonly string[] =>
  [...settingsOf(config)].flatMap(([key, value]) => ["--set", `${key}=${value}`]);

/** The largest difference, as a share of the largest recorded logit. */
function worst(got: Float32Array, recorded: OracleCase["logits"]): number {
  const want = recorded.flat();
  expect(got.length).toBe(want.length);
  const most = Math.max(...want.map(Math.abs));
  return want.reduce((off, value, i) => {
    const here = Math.abs((got[i] ?? Number.NaN) - value) / most;
    return Number.isNaN(here) ? Number.POSITIVE_INFINITY : Math.max(off, here);
  }, 0);
}

describe.each(cases)("$name, $how", ({ oracle, weights, threads }) => {
  const { ids, steps, logits } = oracle;
  const all = [...ids, ...steps];
  let packed: OraclePackage | null = null;
  beforeAll(async () => {
    packed = await packOracle(oracle, {
      text: textOf(oracle.config),
      options: [...optionsOf(oracle), "--weights-type", weights],
      load: { threads, narrow: weights !== "f32" },
    });
  }, 120_000);
  afterAll(() => packed?.remove());
  const session = (): Session => {
    if (packed === null) throw new Error("there is no package");
    return packed.model.session();
  };
  const rows = async (s: Session, tokens: readonly number[]): Promise<Float32Array> => s.forward(tokens, { all: true });

  test("all at once", async () => {
    expect(worst(await rows(session(), all), logits)).toBeLessThan(1e-4);
  });
  test("a token a call", async () => {
    const s = session();
    for (const [i, id] of all.entries())
      expect(worst(await rows(s, [id]), logits.slice(i, i + 1)), `token ${i}`).toBeLessThan(1e-4);
  });
  test("logits of the last token alone, of the prompt and of steps", async () => {
    const s = session();
    const at = ids.length - 1;
    expect(worst(await s.forward(ids), logits.slice(at, at + 1))).toBeLessThan(1e-4);
    for (const [i, id] of steps.entries())
      expect(worst(await s.forward([id]), logits.slice(at + 1 + i, at + 2 + i)), `step ${i}`).toBeLessThan(1e-4);
  });
  test("in chunks, and again after tokens that are forgotten", async () => {
    const s = session();
    for (let i = 0; i < all.length; i += 3) {
      const here = all.slice(i, i + 3);
      await s.forward([...here].reverse());
      s.rollback(here.length);
      expect(worst(await rows(s, here), logits.slice(i, i + 3)), `tokens from ${i}`).toBeLessThan(1e-4);
    }
    expect(s.length).toBe(all.length);
  });
  test("the same greedy tokens", async () => {
    const s = session();
    const found: number[] = [];
    let next = await s.forward(ids);
    for (let i = 0; i < steps.length; i += 1) {
      const best = next.reduce((b, x, j) => (x > (next[b] ?? Number.NEGATIVE_INFINITY) ? j : b), 0);
      found.push(best);
      next = await s.forward([best]);
    }
    expect(found).toEqual(steps);
  });
});
