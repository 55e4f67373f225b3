/** A model of two layers that remembers rows, as text; what is compiled of it, and what that computes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wasmPackages } from "../../backends/wasm/compile-target.ts";
import { wasmModule } from "../../backends/wasm/module.ts";
import { TracedProgram } from "../../compiler/cli/diff/traced-program.ts";
import { type Compiled, compileModel } from "../../compiler/driver/compile.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { runInside } from "../cli/run-inside.ts";
import { readLibrary } from "../pages/read-pages.ts";

export interface Changes {
  /** Equations by what they are written instead of. */
  readonly instead?: Readonly<Record<string, string>>;
  readonly numerics?: readonly string[];
  readonly schedule?: readonly string[];
}

const text = `import softmax from "std/softmax"

block mix(x: [T, D], pos: [T] in S) -> y: [T, D] {
  weight w_in  : [D, D] at "in"
  weight w_out : [D, D] at "out"
  state rows   : [S, D]
  u[t,i] := w_in[i,d] * x[t,d]
  rows[pos[t]] <- u[t]
  a[t,s where s <= pos[t]] := u[t,d] * rows[s,d]
  p[t]   := softmax(a[t])
  o[t,d] := p[t,s] * rows[s,d]
  g[t,i] := w_out[i,d] * o[t,d]
  y[t,d] := x[t,d] + tanh(g[t,d])
}
model small {
  config {
    V : dim = $.vocab_size
    D : dim = $.hidden_size
    L : dim = $.layers
  }
  runtime T : dim    in 1..64
  runtime S : memory in 1..64
  weight embed : [V, D] at "embed"
  part layer[l in L] : mix() at "layers.{l}"
  entry forward(ids: [T] in V, pos: [T] in S) -> (logits: [T, V], next: [V]) {
    h[0,t]      := embed[ids[t]]
    h[l + 1]    := layer[l](h[l], pos)
    last        := h[L]
    logits[t,v] := embed[v,d] * last[t,d]
    next        := logits[T - 1]
  }
  phase prefill = forward -> next where T in 1..64
  phase decode  = forward -> next where T == 1
  loop chat = sample forward
`;
export const config = JSON.stringify({ vocab_size: 24, hidden_size: 8, layers: 3 });

export function textOf({ instead = {}, numerics = [], schedule = [] }: Changes = {}): string {
  let changed = text;
  for (const [from, to] of Object.entries(instead)) {
    if (!changed.includes(from)) throw new Error(`the text has no ${from}`);
    changed = changed.replace(from, to);
  }
  const kept = numerics.length === 0 ? "" : `  numerics {\n${numerics.map((r) => `    ${r}\n`).join("")}  }\n`;
  const asked = schedule.length === 0 ? "" : `schedule for small {\n${schedule.map((r) => `  ${r}\n`).join("")}}\n`;
  return `${changed}${kept}}\n${asked}`;
}

export const checkText = (model: string) =>
  checkProject({
    entry: "small.ds",
    read: (path) => (path === "small.ds" ? model : readLibrary(path)),
    config: { path: "config.json", text: config },
  });

export function compileText(changes: Changes): Compiled {
  const { bound, declared, diagnostics } = checkText(textOf(changes));
  const wrong = diagnostics.find((d) => d.severity === "error");
  if (bound === null || wrong !== undefined) throw new Error(wrong?.title ?? "no model");

  const { target } = wasmPackages;
  return compileModel({
    model: bound,
    declared,
    entry: "forward",
    target,
    weights: "f32",
    compiler: "0",
    verify: true,
  });
}

/** Weights for the model in a folder, until it is removed. */
export async function smallWeights(): Promise<{ readonly folder: string; readonly remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "dsc-directives-"));
  writeFileSync(join(folder, "package.json"), "{}");
  writeFileSync(join(folder, "small.ds"), textOf());
  writeFileSync(join(folder, "config.json"), config);
  const dims = Object.entries(JSON.parse(config)).flatMap(([name, n]) => ["--dim", `${name}=${n}`]);
  const made = await runInside(["tiny", "small.ds", "--config", "config.json", "--out", "twin", ...dims], folder);
  if (made.code !== 0) throw new Error(made.error);
  return { folder: join(folder, "twin"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface Played {
  /** Of the last token: after a call of all others, and after one of all. */
  readonly stepwise: Float32Array;
  readonly atOnce: Float32Array;
  /** What kernels wrote, by label. */
  readonly written: ReadonlyMap<string, Float64Array>;
}

export async function play({ program, kernels }: Compiled, folder: string, ids: readonly number[]): Promise<Played> {
  const weights = await openWeights(folder);
  try {
    const module = new Uint8Array(await wasmModule(kernels));
    const traced = await TracedProgram.open({ program, module, weights, context: 32, chunk: ids.length });
    const written = new Map<string, Float64Array>();
    const phase = (name: string): number => traced.plan.program.phases.findIndex((p) => p.name === name);
    const run = (name: string, tokens: readonly number[], before: number): Float32Array =>
      traced.run(
        { phase: phase(name), tokens, before },
        {
          after: ({ label, buffers }) => {
            for (const b of buffers) if (b.access !== "read") written.set(label, b.values());
          },
        },
      );
    const atOnce = run("prefill", ids, 0);
    run("prefill", ids.slice(0, -1), 0);
    const stepwise = run("decode", ids.slice(-1), ids.length - 1);
    return { stepwise, atOnce, written };
  } finally {
    await weights.close();
  }
}
