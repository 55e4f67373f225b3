/** A `program.json` from anybody: it is read and planned, or refused with a typed error; nothing else happens. */
import { describe, expect, test } from "vitest";
import { CorruptPackageError, DscError } from "../../runtime/artifact/errors.ts";
import type { Program } from "../../runtime/artifact/program.ts";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { checkPhases } from "../../runtime/calls/choose-phase.ts";
import { evaluateCall } from "../../runtime/calls/link-call.ts";
import { planDevice } from "../../runtime/device/plan-device.ts";
import { checkDraft } from "../../runtime/session/check-draft.ts";
import { withoutDraft } from "../../runtime/session/optional-weights.ts";
import { draftingProgram } from "./drafting-program.ts";
import { planUnder } from "./limit-memories.ts";
import { tinyProgram } from "./tiny-program.ts";

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Undefined where it is accepted. */
function refusal(bytes: Uint8Array): string | undefined {
  try {
    const program = readProgram(bytes);
    checkPhases(program, 8, Math.min(program.context, 48));
    checkDraft(program, 8, Math.min(program.context, 48));
    const request = { program, threads: 2, chunk: 8, logitsChunk: 8, context: Math.min(program.context, 48) };
    // In one memory, and in three.
    for (const memoryBytes of [2 ** 32, 72_000]) {
      const plan = planUnder(request, memoryBytes);
      const sessions = plan.spread.memories.map(() => 0);
      for (const linked of plan.phases) evaluateCall(linked, linked.phase.from, 3, sessions);
    }
    return undefined;
  } catch (error) {
    if (error instanceof DscError) return error.message;
    throw error;
  }
}

type Path = readonly (string | number)[];

function* paths(value: unknown, at: Path = []): Generator<Path> {
  yield at;
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) yield* paths(Reflect.get(value, key), [...at, key]);
}

function put(root: unknown, path: Path, value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(root)) return root.map((item, i) => (i === Number(first) ? put(item, rest, value) : item));
  const record = root as Record<string, unknown>;
  return { ...record, [first]: put(record[first], rest, value) };
}

const broad = (levels: number): unknown => (levels === 0 ? "S0" : ["min", broad(levels - 1), broad(levels - 1)]);
const manyEmpty = { stacks: [2 ** 19], shape: [0], tensors: { patterns: ["x{0}"], from: [0] } };
const deep = Array.from({ length: 500 }).reduce<unknown>((inner) => ["+", 1, inner], 1);
const junk: readonly unknown[] = [
  ...[null, true, "", "T", "constructor", [], {}, -1, 0.5, 1e308, 2 ** 31, 2 ** 53, 65_537],
  ...[["*", "T", "T"], ["/", 1, 0], ["%", "T", 0], ["-", 0, "T"], ["pow", 2, 3], deep],
];

test("the program itself is accepted", () => {
  expect(refusal(bytesOf(tinyProgram))).toBeUndefined();
  expect(readProgram(bytesOf(tinyProgram))).toEqual(tinyProgram);
});

test("constants of 64 bits are decimals, and no other", () => {
  const program = (values: readonly unknown[]) => ({
    ...tinyProgram,
    constants: [...tinyProgram.constants, { name: "hash", elem: "i64", values }],
  });
  const exact = program(["9223372036854775807", "-9223372036854775808", "0", "-1"]);
  expect(readProgram(bytesOf(exact))).toEqual(exact);
  for (const bad of [
    "9223372036854775808",
    "-9223372036854775809",
    "1e3",
    "0x10",
    "",
    " 1",
    "-0",
    "01",
    "1.5",
    7,
    null,
  ])
    expect(refusal(bytesOf(program(["1", bad])))).toContain("constants[1].values[1]");
});

const full = process.env["DSC_FULL"] === "1";

test("any value in any place", () => {
  let refused = 0;
  let all = 0;
  let tried = 0;
  for (const path of paths(tinyProgram))
    for (const value of junk) {
      all += 1;
      // Each place gets some of the values in the quick suite, and all of them in the full one.
      if (!full && all % 5 > 0) continue;
      tried += 1;
      if (refusal(bytesOf(put(tinyProgram, path, value))) !== undefined) refused += 1;
    }
  expect(all).toBeGreaterThan(5000);
  // What is left are other numbers and texts that mean something: labels, names, sizes that fit.
  expect(refused / tried).toBeGreaterThan(0.8);
});

test("anything left out", () => {
  for (const path of paths(tinyProgram)) {
    if (path.length === 0) continue;
    const text = JSON.stringify(put(tinyProgram, path, undefined));
    refusal(new TextEncoder().encode(text));
  }
});

test("bytes that are no UTF-8, and nesting without end", () => {
  expect(refusal(Uint8Array.of(0xff, 0xfe))).toMatch(/no JSON/);
  const deepText = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect(refusal(new TextEncoder().encode(deepText))).toMatch(/expected an object/);
});

const edit = (change: (p: Program) => unknown): string => refusal(bytesOf(change(tinyProgram))) ?? "accepted";
const phaseWith = (change: (p: Program["phases"][number]) => unknown) => (p: Program) => ({
  ...p,
  phases: p.phases.map(change),
});

test.each<[string, (p: Program) => unknown, RegExp]>([
  [
    "a buffer that is dead",
    phaseWith((p) => ({ ...p, buffers: p.buffers.map((b, i) => (i === 1 ? { ...b, live: [2, 3] } : b)) })),
    /not in the life|does not live/,
  ],
  [
    "a result that is dead",
    phaseWith((p) => ({ ...p, buffers: p.buffers.map((b, i) => (i === 2 ? { ...b, live: [0, 2] } : b)) })),
    /not in the life/,
  ],
  [
    "a swapped buffer that dies inside of the repeat",
    phaseWith((p) => ({ ...p, buffers: p.buffers.map((b, i) => (i === 0 ? { ...b, live: [0, 1] } : b)) })),
    /not in the life|does not live/,
  ],
  [
    "a buffer that is too small",
    phaseWith((p) => ({ ...p, buffers: p.buffers.map((b) => ({ ...b, size: ["max", ["-", b.size, 1], 0] })) })),
    /is not in 0 …/,
  ],
  [
    "a repeat that goes on for ever",
    phaseWith((p) => ({ ...p, steps: p.steps.map((s) => (s.kind === "repeat" ? { ...s, count: 1e9 } : s)) })),
    /expected an integer/,
  ],
  [
    "repeats that multiply",
    phaseWith((p) => ({
      ...p,
      steps: [
        ["x", "y", "z"].reduce<unknown>(
          (body, index) => ({ kind: "repeat", count: 5000, index, swap: [], body: [body] }),
          p.steps[0],
        ),
      ],
    })),
    /more than \d+ calls/,
  ],
  [
    "sizes that take long to say, in many rounds",
    phaseWith((p) => ({
      ...p,
      steps: p.steps.map((s) =>
        s.kind === "call"
          ? s
          : { ...s, count: 10_000, body: s.body.map((c) => ({ ...c, sizes: ["T", broad(9), "T", "T"].slice(0, 2) })) },
      ),
    })),
    /more than \d+ terms of sizes/,
  ],
  [
    "tensors without elements, and many of them",
    (p) => ({
      ...p,
      weights: Array.from({ length: 3 }, () => ({ ...p.weights[0], ...manyEmpty })),
    }),
    /\$\.weights: \d+ tensors/,
  ],
  [
    "rows behind the last",
    (p) => JSON.parse(JSON.stringify(p).replaceAll('"row":"S0"', '"row":["+","S0",1]')),
    /append: buffer s: \d+ is not in 0 …/,
  ],
  ["two phases of a name", (p) => ({ ...p, phases: [...p.phases, p.phases[0]] }), /\$\.phases: two are called/],
  ["two kernels of a name", (p) => ({ ...p, kernels: [...p.kernels, p.kernels[0]] }), /two are called/],
  [
    "a kernel that writes to a weight",
    (p) => ({
      ...p,
      kernels: p.kernels.map((k) => ({ ...k, buffers: k.buffers.map((b) => ({ ...b, access: "both" })) })),
    }),
    /writes there/,
  ],
  [
    "more elements than an address reaches",
    (p) => ({ ...p, weights: p.weights.map((w) => ({ ...w, shape: [2 ** 30, 2 ** 30] })) }),
    /too many elements/,
  ],
])("%s", (_, change, text) => {
  expect(edit(change)).toMatch(text);
});

test("a call beyond what was allocated is refused before it runs", () => {
  const plan = planDevice({ program: tinyProgram, threads: 1, chunk: 8, logitsChunk: 4, context: 20 });
  const [one, many, all] = plan.phases;
  if (one === undefined || many === undefined || all === undefined) throw new Error("phases are missing");
  expect([many.phase.to, all.phase.to]).toEqual([8, 4]);
  expect(() => evaluateCall(one, 1, 19, [0])).not.toThrow();
  expect(() => evaluateCall(many, 8, 12, [0])).not.toThrow();
  const refused = expect.objectContaining({ code: "corrupt-package" });
  expect(() => evaluateCall(one, 1, 20, [0])).toThrow(refused);
  expect(() => evaluateCall(many, 8, 13, [0])).toThrow(refused);
  expect(() => evaluateCall(many, 9, 0, [0])).toThrow(refused);
  expect(() => evaluateCall(all, 5, 0, [0])).toThrow(refused);
  expect(() => evaluateCall(one, 1, -1, [0])).toThrow(refused);
});

describe("a program that drafts", () => {
  const change = (change: (p: Program) => unknown): string => refusal(bytesOf(change(draftingProgram))) ?? "accepted";
  const proposing = (of: (p: Program["phases"][number]) => unknown) => (p: Program) => ({
    ...p,
    phases: p.phases.map((one) => (one.entry === "propose" ? of(one) : one)),
  });
  const checking = (of: (p: Program["phases"][number]) => unknown) => (p: Program) => ({
    ...p,
    phases: p.phases.map((one) => (one.name === "verify" ? of(one) : one)),
  });
  const fed = (feed: object) => (p: Program) => ({
    ...p,
    draft: { ...p.draft, feeds: p.draft?.feeds.map((f) => ({ ...f, ...feed })) },
  });

  test("is accepted as it is, and without what drafts", () => {
    expect(change((p) => p)).toBe("accepted");
    expect(readProgram(bytesOf(draftingProgram))).toEqual(draftingProgram);
    const order = { threads: 1, chunk: 8, logitsChunk: 8, context: 48 };
    const [whole, less] = [draftingProgram, withoutDraft(draftingProgram)].map((program) =>
      planDevice({ program, ...order }),
    );
    expect(less?.states.bytes).toBeLessThan(whole?.states.bytes ?? 0);
  });

  test("an optional weight that the model itself reads is missed", () => {
    const weights = draftingProgram.weights.map((w) => ({ ...w, optional: "all" }));
    const program = withoutDraft({ ...draftingProgram, weights });
    const plan = () => planDevice({ program, threads: 1, chunk: 8, logitsChunk: 8, context: 48 });
    expect(plan).toThrow(CorruptPackageError);
  });

  test("any value in any place, anything left out", () => {
    let [refused, tried] = [0, 0];
    for (const path of paths(draftingProgram)) {
      const [top, i] = path;
      if (top !== "draft" && !(top === "phases" && Number(i) > 2) && !(top === "weights" && i === "2")) continue;
      for (const [j, value] of junk.entries()) {
        if (!full && (j + path.length) % 5 > 0) continue;
        tried += 1;
        if (refusal(bytesOf(put(draftingProgram, path, value))) !== undefined) refused += 1;
      }
      refusal(bytesOf(put(draftingProgram, path, undefined)));
    }
    expect(tried).toBeGreaterThan(500);
    expect(refused / tried).toBeGreaterThan(0.8);
  });

  test.each<[string, (p: Program) => unknown, RegExp]>([
    [
      "an entry that drafts for itself",
      (p) => ({ ...p, draft: { entry: "forward", feeds: [] } }),
      /forward cannot draft for itself/,
    ],
    ["an entry that is not played", (p) => ({ ...p, draft: { ...p.draft, entry: "other" } }), /no phase plays "other"/],
    ["an input that nothing feeds", (p) => ({ ...p, draft: { ...p.draft, feeds: [] } }), /nothing feeds hidden/],
    ["what feeds is not given by the model", fed({ first: "other" }), /gives other, next/],
    ["what feeds is not given by the entry", fed({ then: "other" }), /has no output other/],
    [
      "rows of the model that are shorter",
      checking((p) => ({ ...p, outputs: p.outputs.map((o) => (o.name === "hidden" ? { ...o, dims: ["T", 4] } : o)) })),
      /hidden is fed rows of 8 and of 4/,
    ],
    [
      "inputs that are longer",
      proposing((p) => ({ ...p, inputs: p.inputs.map((x) => (x.elem === "f32" ? { ...x, dims: ["T", 9] } : x)) })),
      /hidden is fed rows of/,
    ],
    [
      "inputs that grow with what is remembered",
      proposing((p) => ({
        ...p,
        inputs: p.inputs.map((x) => (x.elem === "f32" ? { ...x, dims: ["T", ["+", "S0", 1]] } : x)),
      })),
      /the rows of hidden differ in length/,
    ],
    [
      "inputs that do not come by tokens",
      proposing((p) => ({ ...p, inputs: p.inputs.map((x) => (x.elem === "f32" ? { ...x, dims: [8, "T"] } : x)) })),
      /hidden has no row for each token/,
    ],
    [
      "inputs that are too large",
      (p) => {
        const large = ["*", 2 ** 20, 2 ** 20];
        const grown = <T extends { readonly name: string }>(all: readonly T[]) =>
          all.map((x) => (/hidden/.test(x.name) ? { ...x, dims: ["T", large] } : x));
        return {
          ...p,
          phases: p.phases.map((x) => ({ ...x, inputs: grown(x.inputs), outputs: grown(x.outputs) })),
        };
      },
      /is not in 0 …|takes \d+ bytes/,
    ],
    [
      "inputs of whole numbers",
      proposing((p) => ({ ...p, inputs: p.inputs.map((x) => ({ ...x, elem: "i32" })) })),
      /has f32 there, this is i32|not f32/,
    ],
    ["guesses beyond the vocabulary", (p) => ({ ...p, vocabulary: 12 }), /next of draft is not of all 12 ids/],
    [
      "no phase that checks",
      (p) => ({ ...p, phases: p.phases.filter((x) => !/verify|prompt/.test(x.name) || x.entry === "propose") }),
      /gives hidden, next/,
    ],
    [
      "no phase for a single pair",
      (p) => ({ ...p, phases: p.phases.filter((x) => x.name !== "draft") }),
      /no phase of a single token drafts/,
    ],
    [
      "a name of an optional part that is none",
      (p) => ({ ...p, weights: p.weights.map((w) => ({ ...w, optional: 1 })) }),
      /expected a text/,
    ],
  ])("%s", (_, of, message) => {
    expect(change(of)).toMatch(message);
  });
});
