/** What holds of every program: layers cost nothing, memory is planned tightly, nothing that lives is overwritten. */
import { describe, expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import type { Compiled } from "../../compiler/driver/compile.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { checkedPlan } from "../../compiler/program/check-plan.ts";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { compileConfig, latent, llama } from "./compiled-models.ts";

const models: readonly (readonly [string, (layers: number) => Compiled])[] = [
  ["a dense model", (layers) => compileConfig("models/deepseek-llm.ds", llama(layers))],
  ["latent attention and experts", (layers) => compileConfig("models/deepseek-v2.ds", latent(layers))],
];

describe.each(models)("%s", (_, compiled) => {
  const few = compiled(3);
  test("is read back by the runtime as it is written", () => {
    const written = JSON.stringify(few.program);
    const read = readProgram(new TextEncoder().encode(written));
    expect(read.phases).toEqual(JSON.parse(written).phases);
    expect(read.weights).toEqual(JSON.parse(written).weights);
  });
  test("has as much code and as long a program with 3 layers as with 60", async () => {
    const many = compiled(60);
    expect(many.kernels.length).toBe(few.kernels.length);
    expect((await wasmModule(many.kernels)).length).toBe((await wasmModule(few.kernels)).length);
    // Numbers with one more digit.
    expect(JSON.stringify(many.program).length).toBeLessThan(JSON.stringify(few.program).length * 1.02);
  });
  test("plans memory without overlaps and within 5 % of what lives at once", () => {
    for (const phase of few.program.phases)
      for (const tokens of [1, 2, 7, 64, 256].filter((n) => n >= phase.from && n <= phase.to))
        for (const before of [0, 1, 100, 1000]) {
          const sizes = { [few.program.tokens]: tokens, [few.program.before]: before };
          const plan = checkedPlan(phase, sizes);
          expect(plan.bytes, `${phase.name} of ${tokens} behind ${before}`).toBeLessThanOrEqual(1.05 * plan.peak);
        }
  });
  test("writes the rows it remembers where they are read", () => {
    const copies = few.reports.flatMap((r) => r.kernels.filter((k) => k.says.startsWith("copy")));
    const states = new Set(few.program.states.map((s) => s.name));
    expect(copies.filter((k) => states.has(k.node.name))).toEqual([]);
  });
  test("is compiled to the same bytes again", async () => {
    const again = compiled(3);
    expect(JSON.stringify(again.program)).toBe(JSON.stringify(few.program));
    expect(await wasmModule(again.kernels)).toEqual(await wasmModule(few.kernels));
  });
});

test("a result that is the last row of a recurrence has no room of its own", () => {
  const text = `
    import deepseek_v3 from "./deepseek-v3"
    model bare extends deepseek_v3 {
      override entry forward(ids: [T] in V, pos: [T] in S) -> (hidden: [T, D], logits: [T, V], next: [V]) {
        h[0,t]      := embed[ids[t]]
        h[l + 1]    := layer[l](h[l], pos)
        hidden      := h[L]
        logits[t,v] := head[v,d] * norm(h[L,t])[d]
        next        := logits[T - 1]
      }
    }`;
  const drafting = {
    ...{ model_type: "deepseek_v3", topk_method: "noaux_tc", scoring_func: "sigmoid", n_group: 1, topk_group: 1 },
    num_nextn_predict_layers: 1,
  };
  const { program } = compileConfig("models/bare.ds", { ...latent(3), ...drafting }, undefined, text);
  const written = JSON.stringify(program);
  expect(readProgram(new TextEncoder().encode(written)).phases).toEqual(JSON.parse(written).phases);
  expect(program.phases.flatMap((p) => p.outputs.map((o) => o.name))).toContain("hidden");
});

test("planned on trust it is the same program, and whoever proves kernels is told of them all", () => {
  const plain = compileConfig("models/deepseek-v2.ds", latent(2));
  const told: Kernel[] = [];
  const more = { unproved: true, onKernel: (k: Kernel) => void told.push(k) };
  const trusted = compileConfig("models/deepseek-v2.ds", latent(2), undefined, null, more);
  expect(JSON.stringify(trusted.program)).toBe(JSON.stringify(plain.program));
  expect(told.map(printKernel)).toEqual(plain.kernels.map(printKernel));
  expect(told.flatMap((k) => verify(k, wasmTarget))).toEqual([]);
});
