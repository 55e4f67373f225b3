/**
 * Sparse models as WebAssembly, through their packages, as they are used: a prompt of one token, of an odd number and of more
 * than a chunk, and eight steps behind it. V3.2 in both numerics, DeepSeekMoE.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadSparseCase, type OracleCase, type Rows, sparseCaseNames } from "../../oracle/cases.ts";
import { loadReferenceCase, moeCaseNames, officialCaseNames } from "../../oracle/references.ts";
import { settingsOf, textOf } from "../text-of.ts";
import { type OraclePackage, packOracle } from "./oracle-package.ts";

const full = process.env["DSC_FULL"] === "1";
const everyday: readonly string[] = ["moe-16b", "v2-eight-groups", "v3.2-fp8-latent"];
const chunk = 8;
const prompts = [1, 7, 21];
const steps = 8;
/**
 * Of the largest logit: packages compute in f32, and the worst that was seen is 2.5e-6. Another expert or another token that is
 * kept moves logits a thousand times as far; README.md of the oracle says why rounding changes neither.
 */
const most = 1e-5;

const cases = [
  ...sparseCaseNames.map(loadSparseCase).map((oracle) => ({ ...oracle, settings: settingsOf(oracle.config) })),
  ...[...officialCaseNames, ...moeCaseNames].map(loadReferenceCase),
].filter(({ name, ids }) => ids.length >= Math.max(...prompts) && (full || everyday.includes(name)));

const largest = (rows: Rows): number => Math.max(...rows.flat().map(Math.abs));

/** The largest difference from one row. */
const off = (got: Float32Array, want: readonly number[] = []): number =>
  got.length === want.length
    ? Math.max(...want.map((value, i) => Math.abs((got[i] ?? Number.NaN) - value)))
    : Number.NaN;

describe.each(cases)("$name", (oracle: OracleCase & { readonly settings: ReadonlyMap<string, string> }) => {
  const tokens = [...oracle.ids, ...oracle.steps];
  let packed: OraclePackage | null = null;
  beforeAll(async () => {
    packed = await packOracle(oracle, {
      text: textOf(oracle.config),
      options: [...oracle.settings].flatMap(([key, value]) => ["--set", `${key}=${value}`]),
      load: { chunk },
    });
  }, 120_000);
  afterAll(() => packed?.remove());

  test.each(prompts)("a prompt of %i and steps", async (prompt) => {
    const session = packed?.model.session();
    expect(session).toBeDefined();
    if (session === undefined) return;
    const calls = [tokens.slice(0, prompt), ...tokens.slice(prompt, prompt + steps).map((id) => [id])];
    const errors: number[] = [];
    for (const ids of calls) errors.push(off(await session.forward(ids), oracle.logits[session.length - 1]));
    expect(errors).toHaveLength(1 + steps);
    for (const error of errors) expect(error / largest(oracle.logits)).toBeLessThan(most);
  });
});
