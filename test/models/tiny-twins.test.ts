/** Toy twins of the published configs: the text accepts them, their tensors are those it maps, and the reference runs them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type PlacedTensor, placedTensors } from "../../compiler/cli/tiny/placed-tensors.ts";
import { seededNumbers } from "../../compiler/cli/tiny/seeded-numbers.ts";
import { type TinyConfig, tinyConfig } from "../../compiler/cli/tiny/tiny-config.ts";
import { type CheckedProject, checkProject, type NamedText } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { bindText, type Rows, readProject } from "../conformance/bind-text.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const configs = join(process.env["DSC_TEST_DATA"] ?? join(root, "../shared"), "architectures/configs");
const found = existsSync(configs);
const full = process.env["DSC_FULL"] === "1";

/** Which text describes which configs. */
const texts: readonly (readonly [configs: RegExp, model: string])[] = [
  [/^deepseek-(llm|r1-)/, "deepseek-llm"],
  [/^deepseek-v2/, "deepseek-v2"],
  [/^deepseek-(v3|v3\.1|r1)\.json$/, "deepseek-v3"],
  [/^deepseek-v3\.2/, "deepseek-v3.2"],
  [/^deepseek-v4-/, "deepseek-v4"],
];
const modelOf = (config: string): string | undefined => texts.find(([configs]) => configs.test(config))?.[1];
/** What elaboration says of texts that it cannot run yet. */
const notYet: ReadonlyMap<string, string> = new Map([
  // memory of compressed tokens: \`state entry_state : [S div m, C]\`
  ["deepseek-v4", "only states with one row a token can be elaborated"],
]);
/** One of each text; all configs in the full suite. */
const quick = ["r1-distill-qwen-1.5b", "v2-lite", "v2", "v3.2", "v4-flash"].map((name) => `deepseek-${name}.json`);
const names = found
  ? readdirSync(configs).filter((name) => modelOf(name) !== undefined && (full || quick.includes(name)))
  : ["none"];

/**
 * Where the text leaves a condition to run time that small sizes break: V4 rounds head_dim - qk_rope_head_dim channels in
 * groups of 64, and the checker does not see that size through `ratios[l] == 0 ? near_freq : far_freq`.
 */
const asked = new Map([["deepseek-v4", { path: ["head_dim"], value: "68" }]]);

const cache = newParseCache();
const check = (entry: string, config: string, weights?: NamedText): CheckedProject =>
  checkProject({
    entry,
    read: readProject,
    cache,
    config: { path: "config.json", text: config },
    ...(weights === undefined ? {} : { weights }),
  });

function twinOf(model: string, published: string): TinyConfig {
  const entry = `models/${model}.ds`;
  const { bound } = check(entry, published);
  if (bound === null) throw new Error("the published config is refused");
  const size = asked.get(model);
  const fixed = new Map(size === undefined ? [] : [[size.path.join("."), size]]);
  const twin = tinyConfig({ published, model: bound, fixed, check: (text) => check(entry, text) });
  if ("diagnostics" in twin) throw new Error(twin.diagnostics.map(({ title }) => title).join("\n"));
  return twin;
}

function listing(tensors: readonly PlacedTensor[]): NamedText {
  const entries = tensors.flatMap(({ name, copies, shape, role }) => {
    const dtype = role.kind === "indices" ? "I64" : "F32";
    return [name, ...copies].map((one) => [one, { dtype, shape }]);
  });
  return { path: "header.json", text: JSON.stringify(Object.fromEntries(entries)) };
}

const ids = [3, 1, 4, 1, 5];

describe.skipIf(!found)(`twins of published configs${found ? "" : " (skipped: not there, set DSC_TEST_DATA)"}`, () => {
  test.each(names)("%s", async (name) => {
    const model = modelOf(name) ?? "";
    const entry = `models/${model}.ds`;
    const twin = twinOf(model, readFileSync(join(configs, name), "utf8"));
    const tensors = placedTensors(twin.checked);
    expect(check(entry, twin.config, listing(tensors)).diagnostics).toEqual([]);

    const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
    expect(count).toBeLessThan(1_000_000);

    const run = async (calls: readonly (readonly number[])[]): Promise<Rows> => {
      const { forward } = await bindText({
        entry,
        config: twin.config,
        tensors: new Map(tensors.map((t) => [t.name, { shape: t.shape, data: seededNumbers(1, t) }])),
        results: ["logits"],
      });
      return calls.flatMap((call) => forward(call).results.get("logits") ?? []);
    };
    const refusal = notYet.get(model);
    if (refusal !== undefined) {
      await expect(run([ids])).rejects.toThrow(refusal);
      return;
    }
    const whole = await run([ids]);
    expect(whole).toHaveLength(ids.length);
    expect(whole.flat().every(Number.isFinite)).toBe(true);
    // different orders of summation: some tens of roundings of numbers of up to 10
    const parts = (await run([ids.slice(0, 2), ids.slice(2, 3), ids.slice(3)])).flat();
    const apart = whole.flat().map((value, i) => Math.abs(value - (parts[i] ?? Number.NaN)));
    expect(Math.max(...apart)).toBeLessThan(1e-10);
  });
});
