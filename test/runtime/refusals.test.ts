/** What `load` and sessions refuse, and that nothing hangs or is left behind. */
import { rm } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { loadBinaryen } from "../../backends/wasm/binaryen.ts";
import { hashBytes, hashText } from "../../runtime/artifact/hash.ts";
import type { Program } from "../../runtime/artifact/program.ts";
import { nodeHost } from "../../runtime/node/node-host.ts";
import {
  DscError,
  type LoadOptions,
  loadPackage,
  type Model,
  WeightsMismatchError,
} from "../../runtime/package/entry.ts";
import { loadInto } from "../../runtime/package/load-package.ts";
import { wasmPlayer } from "../../runtime/package/wasm-player.ts";
import type { Host } from "../../runtime/session/host.ts";
import {
  f32Tensor,
  type PackageChange,
  type PackageOnDisk,
  type Tensor,
  tinyTensors,
  writePackage,
} from "./tiny-package.ts";
import { kernelModule, sizes, tinyProgram } from "./tiny-program.ts";

const folders: string[] = [];
const models: Model[] = [];
afterEach(async () => {
  for (const model of models.splice(0)) model.dispose();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function onDisk(change: PackageChange = {}): Promise<PackageOnDisk> {
  const disk = await writePackage(change);
  folders.push(disk.folder);
  return disk;
}

async function load(change: PackageChange = {}, options: Partial<LoadOptions> = {}): Promise<Model> {
  const { base, weights, worker } = await onDisk(change);
  const model = await loadPackage(base, { weights, worker, threads: 1, ...options });
  models.push(model);
  return model;
}

const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

async function refused(change: PackageChange, code: string, text: string | RegExp, options: Partial<LoadOptions> = {}) {
  const error = await refusal(load(change, options));
  expect(error).toBeInstanceOf(DscError);
  expect(error).toMatchObject({ code });
  if (error instanceof Error) expect(error.message).toMatch(text);
  return error;
}

const [embed, ...scales] = tinyTensors;
const withTensors = (...tensors: readonly (Tensor | undefined)[]): PackageChange => ({
  tensors: tensors.filter((t) => t !== undefined),
});

describe("weights that are not those of the model", () => {
  test("all problems at once, with tensor and line", async () => {
    const wrong = { name: "model.layers.0.g", dtype: "F32", shape: [4, 2], bytes: new Uint8Array(32) } as const;
    const eight = { name: "model.layers.1.g", dtype: "F8_E4M3", shape: [8], bytes: new Uint8Array(8) } as const;
    const other = f32Tensor("embed.weight", [sizes.V, sizes.D], new Float32Array(sizes.V * sizes.D));
    const extra = f32Tensor("lm_head.weight", [1], new Float32Array(1));
    const error = await refused(withTensors(embed, other, wrong, eight, extra), "weights-mismatch", /do not fit/);
    if (!(error instanceof WeightsMismatchError)) throw new Error("no mismatch");
    expect(error.problems.map((p) => [p.kind, p.tensor, p.at])).toEqual([
      ["two-spellings", "model.embed.weight", "tiny.ds:3:1"],
      ["shape", "model.layers.0.g", "tiny.ds:7:3"],
      ["unsupported-dtype", "model.layers.1.g", "tiny.ds:7:3"],
      ["missing", "model.layers.2.g", "tiny.ds:7:3"],
      ["extra", "lm_head.weight", null],
    ]);
    expect(error.message).toContain('"model.layers.0.g" is [4, 2], layer.g is [8] (tiny.ds:7:3)');
  });

  test("at most twenty are listed", async () => {
    const more = Array.from({ length: 30 }, (_, i) => f32Tensor(`x${i}`, [1], new Float32Array(1)));
    const error = await refused(withTensors(embed, ...scales, ...more), "weights-mismatch", /and 10 more/);
    expect(error).toMatchObject({ count: 30, problems: { length: 20 } });
  });

  test("what the model says may be there is let in, and the other spelling", async () => {
    const spare = f32Tensor("model.layers.0.rotary.inv_freq", [2], new Float32Array(2));
    const other = embed === undefined ? embed : { ...embed, name: "embed.weight" };
    const [plain, spelled] = [await load(), await load(withTensors(other, ...scales, spare))];
    expect(await spelled.session().forward([3, 1, 4])).toEqual(await plain.session().forward([3, 1, 4]));
  });

  test("a copy is equal to what it is of, or is not there", async () => {
    const program = {
      ...tinyProgram,
      weights: tinyProgram.weights.map((w) => (w.name === "embed" ? { ...w, copies: [["mtp.embed.weight"]] } : w)),
    };
    if (embed === undefined) throw new Error("no tensor");
    const copy = { ...embed, name: "mtp.embed.weight" };
    const [without, equal] = [await load({ program }), await load({ program, ...withTensors(embed, ...scales, copy) })];
    expect(await equal.session().forward([3, 1, 4])).toEqual(await without.session().forward([3, 1, 4]));
    const bytes = copy.bytes.map((byte, i) => (i === copy.bytes.length - 2 ? byte ^ 1 : byte));
    const short = f32Tensor(copy.name, [sizes.V], new Float32Array(sizes.V));
    for (const differs of [{ ...copy, bytes }, short]) {
      const change = { program, ...withTensors(embed, ...scales, differs) };
      const error = await refused(change, "weights-mismatch", /"mtp.embed.weight" should be equal/);
      expect(error).toMatchObject({ problems: [{ kind: "copies-differ", tensor: copy.name, at: "tiny.ds:3:1" }] });
    }
  });

  test("narrowing has to be asked for", async () => {
    const program = {
      ...tinyProgram,
      weights: tinyProgram.weights.map((w) => ({ ...w, elem: "bf16" as const })),
      kernels: tinyProgram.kernels.map((k) => ({
        ...k,
        buffers: k.buffers.map((b) => (b.name === "w" || b.name === "g" ? { ...b, elem: "bf16" as const } : b)),
      })),
    };
    await refused({ program }, "weights-mismatch", /narrow: true/);
    await expect(load({ program }, { narrow: true })).resolves.toBeDefined();
  });
});

describe("packages that are not right", () => {
  const json = (change: (program: Record<string, unknown>) => void): PackageChange => {
    const program = JSON.parse(JSON.stringify(tinyProgram));
    change(program);
    return { json: JSON.stringify(program) };
  };

  test("another format: both versions are named", () =>
    refused(
      json((p) => Object.assign(p, { format: 9, compiler: "7.1" })),
      "version",
      /format 9, written by dsc 7\.1.*format 2/,
    ));

  test.each<[string, PackageChange, RegExp]>([
    ["no JSON", { json: "{" }, /program\.json: .*no JSON/],
    ["a module that is none", { module: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 255) }, /simd\.wasm: it is no/],
    ["a module without kernels", { module: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) }, /imports/],
    ["a kernel that is not there", json((p) => Object.assign(p, renamed("embed", "embad"))), /has no kernel "embad"/],
  ])("%s", async (_, change, text) => {
    await refused({ single: true, ...change }, "corrupt-package", text);
  });

  test("a kernel with another number of arguments", async () => {
    const program = changed(
      (k) => ({ ...k, sizes: [...k.sizes, "more"] }),
      (sizesOf) => [...sizesOf, 1],
    );
    await refused({ program }, "corrupt-package", /does not take/);
  });

  test("kernels that would leave their buffers", async () => {
    const past = changed((k) => ({ ...k, buffers: k.buffers.map((b) => ({ ...b, extent: ["+", b.extent, 1] })) }));
    await refused({ program: past }, "corrupt-package", /is not in 0 … /);
    const states = tinyProgram.states.map((s) => ({ ...s, copies: 2 }));
    await refused({ program: { ...tinyProgram, states } }, "corrupt-package", /copy: 2 is not in 0 … 1/);
  });

  test("bytes that are not those that were compiled", async () => {
    const module = await kernelModule();
    const text = (hash: string): string => JSON.stringify({ ...tinyProgram, modules: { "kernels/simd.wasm": hash } });
    const json = text(hashText(hashBytes(module)));
    const flipped = module.map((byte, i) => (i === module.length - 20 ? byte ^ 1 : byte));
    await expect(load({ json, module, single: true })).resolves.toBeDefined();
    await refused({ json, module: flipped, single: true }, "corrupt-package", /simd\.wasm: its bytes are not those/);
    await refused({ json: text("0"), module, single: true }, "corrupt-package", /simd\.wasm: its bytes are not those/);
    const { base, weights } = await onDisk({ json, module });
    const programHash = hashText(hashBytes(new TextEncoder().encode(json)));
    const model = await loadPackage(base, { weights, threads: 1 }, programHash);
    models.push(model);
    const other = refusal(loadPackage(base, { weights, threads: 1 }, hashText([1, 2])));
    await expect(other).resolves.toMatchObject({ code: "corrupt-package", file: "program.json" });
  });

  test("a package without kernels or program", async () => {
    const disk = await onDisk();
    const nowhere = new URL("no/", disk.base);
    await expect(loadPackage(nowhere, { weights: disk.weights })).rejects.toMatchObject({ code: "cannot-read" });
    await rm(`${disk.folder}/kernels`, { recursive: true });
    const { base, weights } = disk;
    await expect(loadPackage(base, { weights })).rejects.toMatchObject({ code: "cannot-read" });
  });
});

describe("options", () => {
  test.each<[Partial<LoadOptions>, string]>([
    [{ threads: 0 }, "bad-option"],
    [{ threads: 1.5 }, "bad-option"],
    [{ context: 0 }, "bad-option"],
    [{ context: 49 }, "context-length"],
    [{ chunk: -1 }, "bad-option"],
    [{ weights: "" }, "cannot-read"],
    [{ signal: 5 as never }, "bad-option"],
    [{ onProgress: 5 as never }, "bad-option"],
    [{ worker: "nowhere" }, "bad-option"],
  ])("%o", async (options, code) => {
    const error = await refusal(load({}, options));
    expect(error).toMatchObject(code === "cannot-read" ? { name: "WeightsError" } : { code });
  });

  test("a context of one", async () => {
    const session = (await load({}, { context: 1 })).session();
    await session.forward([3]);
    await expect(session.forward([3])).rejects.toMatchObject({ code: "context-length", length: 2, context: 1 });
  });

  test("progress, and an abort while loading", async () => {
    const seen: number[] = [];
    await load({}, { onProgress: ({ loaded, total }) => seen.push(loaded / total) });
    expect(seen.at(0)).toBe(0);
    expect(seen.at(-1)).toBe(1);
    const stop = new AbortController();
    const loading = load({}, { signal: stop.signal, onProgress: () => stop.abort("enough") });
    await expect(loading).rejects.toBe("enough");
  });

  test("more memory than there is", async () => {
    const disk = await onDisk();
    const poor: Host = { ...nodeHost(disk.worker), available: () => 1000 };
    const error = await refusal(
      loadInto({ base: disk.base, options: { weights: disk.weights }, host: poor, player: wasmPlayer }),
    );
    expect(error).toMatchObject({ code: "out-of-memory", available: 1000 });
    const states = tinyProgram.states.map((s) => ({ ...s, row: 2 ** 22 * sizes.D }));
    const large = { ...tinyProgram, states, context: 48 };
    await refused({ program: large }, "out-of-memory", /^48 rows of rows, .* takes 6[0-9]{9} bytes; 4294[0-9]{6} are/);
  });
});

describe("sessions", () => {
  test.each<[string, unknown, number]>([
    ["none", [], -1],
    ["beyond the vocabulary", [1, 24], 1],
    ["negative", [-1], 0],
    ["a fraction", [0.5], 0],
    ["NaN", [Number.NaN], 0],
    ["a text", "abc", -1],
    ["fewer than none", { length: -5 }, -1],
    ["null", null, -1],
    ["texts", ["1"], 0],
  ])("tokens: %s", async (_, tokens, index) => {
    const session = (await load()).session();
    const call = session.forward(tokens as number[]);
    await expect(call).rejects.toMatchObject({ code: "bad-token", index });
    expect(session.length).toBe(0);
  });

  test("one call at a time", async () => {
    const session = (await load()).session();
    const first = session.forward([1, 2, 3]);
    await expect(session.forward([1])).rejects.toMatchObject({ code: "busy" });
    expect(() => session.rollback(0)).toThrow(expect.objectContaining({ code: "busy" }));
    await expect(session.save()).rejects.toMatchObject({ code: "busy" });
    await first;
    expect(session.length).toBe(3);
  });

  test("after dispose", async () => {
    const model = await load();
    const [a, b] = [model.session(), model.session()];
    const running = a.forward([1]);
    a.dispose();
    a.dispose();
    await expect(running).rejects.toMatchObject({ code: "disposed" });
    await expect(a.forward([1])).rejects.toMatchObject({ code: "disposed" });
    await b.forward([1]);
    model.dispose();
    await expect(b.forward([1])).rejects.toMatchObject({ code: "disposed" });
    expect(() => model.session()).toThrow(expect.objectContaining({ code: "disposed" }));
  });

  test("what sessions hold is given back, whenever they are disposed", async () => {
    const model = await load();
    const use = async (): Promise<void> => {
      const [idle, busy] = [model.session(), model.session()];
      const running = busy.forward([1, 2]).catch(() => null);
      busy.dispose();
      idle.dispose();
      await running;
      await expect(model.restore(new Uint8Array(8))).rejects.toThrow("no bytes of a session");
    };
    await use();
    const before = model.memoryBytes;
    for (let i = 0; i < 100; i += 1) await use();
    expect(model.memoryBytes).toBe(before);
  });

  test("bytes that are no session", async () => {
    const model = await load();
    const session = model.session();
    await session.forward([1, 2, 3]);
    const saved = await session.save();
    const wrong = (bytes: Uint8Array): Promise<unknown> => refusal(model.restore(bytes));
    const refusedBytes = expect.objectContaining({ code: "cannot-restore" });
    for (let i = 0; i < saved.length; i += 1) {
      const damaged = saved.slice();
      damaged[i] = (damaged[i] ?? 0) ^ 0x10;
      expect(await wrong(damaged)).toEqual(refusedBytes);
      expect(await wrong(saved.subarray(0, i))).toEqual(refusedBytes);
    }
    const other = await load(
      withTensors(embed, ...[...scales].reverse().map((t, l) => ({ ...t, name: `model.layers.${l}.g` }))),
    );
    await expect(other.restore(saved)).rejects.toThrow(/other weights/);
    const short = await load({}, { context: 2 });
    await expect(short.restore(saved)).rejects.toThrow(/more than the context of 2/);
    const different = await load({ program: { ...tinyProgram, compiler: "0.0.1" } });
    await expect(different.restore(saved)).rejects.toThrow(/another version/);
  });
});

describe("threads", () => {
  const hostWith = (disk: PackageOnDisk, change: Partial<Host>): Host => ({ ...nodeHost(disk.worker), ...change });

  test("one thread where the package has no module for more", async () => {
    expect((await load({ single: true }, { threads: 2 })).info.threads).toBe(1);
  });

  test("a worker that cannot start", async () => {
    const disk = await onDisk();
    const host = nodeHost(new URL("nowhere.mjs", disk.base));
    const error = await refusal(
      loadInto({ base: disk.base, options: { weights: disk.weights, threads: 2 }, host, player: wasmPlayer }),
    );
    expect(error).toMatchObject({ code: "thread-failed" });
  });

  test("workers end where loading fails", async () => {
    const disk = await onDisk();
    const host = nodeHost(disk.worker);
    let ended = 0;
    const watched = hostWith(disk, {
      startThread: (events) => {
        const thread = host.startThread(events);
        const end = (): void => {
          ended += 1;
          thread.end();
        };
        return { ...thread, end };
      },
    });
    const onProgress = (): void => {
      throw new Error("no");
    };
    const options = { weights: disk.weights, threads: 3, onProgress };
    await expect(loadInto({ base: disk.base, options, host: watched, player: wasmPlayer })).rejects.toThrow("no");
    expect(ended).toBe(2);
  });

  test("a worker that ends between calls", async () => {
    const disk = await onDisk();
    const host = nodeHost(disk.worker);
    let end = (): void => undefined;
    let ended = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const watched = hostWith(disk, {
      startThread: ({ message, died }) => {
        const thread = host.startThread({
          message,
          died: (why) => {
            died(why);
            ended();
          },
        });
        end = thread.end;
        return thread;
      },
    });
    const model = await loadInto({
      base: disk.base,
      options: { weights: disk.weights, threads: 2 },
      host: watched,
      player: wasmPlayer,
    });
    models.push(model);
    const session = model.session();
    await session.forward([1]);
    end();
    await gone;
    await expect(session.forward([2])).rejects.toMatchObject({ code: "thread-failed" });
    expect(session.length).toBe(1);
  });

  test("a worker that never comes", async () => {
    const disk = await onDisk();
    const deaf = hostWith(disk, {
      patience: 50,
      startThread: ({ message }) => ({ post: () => message({ kind: "ready" }), end: () => undefined }),
    });
    const model = await loadInto({
      base: disk.base,
      options: { weights: disk.weights, threads: 2 },
      host: deaf,
      player: wasmPlayer,
    });
    models.push(model);
    const session = model.session();
    await expect(session.forward([1, 2])).rejects.toMatchObject({ code: "thread-failed" });
    await expect(session.forward([1])).rejects.toMatchObject({ code: "thread-failed" });
  });

  test.each([1, 2])(
    "a kernel that fails, with %i threads: the session is as before, and the model still works",
    async (threads) => {
      const model = await load({ module: await failingModule() }, { threads });
      const session = model.session();
      await session.forward([1]);
      for (let i = 0; i < 3; i += 1)
        await expect(session.forward([23])).rejects.toMatchObject({ code: "kernel-failed" });
      expect(session.length).toBe(1);
      await session.forward([2]);
      expect(session.length).toBe(2);
    },
  );
});

const renamed = (from: string, to: string) => ({
  kernels: tinyProgram.kernels.map((k) => (k.name === from ? { ...k, name: to } : k)),
});

/** The first kernel, and the sizes of its calls, changed. */
function changed(
  change: (k: Program["kernels"][number]) => Program["kernels"][number],
  given: (sizesOf: Program["kernels"][number]["grid"]) => Program["kernels"][number]["grid"] = (s) => s,
): Program {
  const [first, ...rest] = tinyProgram.kernels;
  if (first === undefined) throw new Error("no kernels");
  return {
    ...tinyProgram,
    kernels: [change(first), ...rest],
    phases: tinyProgram.phases.map((p) => ({
      ...p,
      steps: p.steps.map((s) => (s.kind === "call" && s.kernel === 0 ? { ...s, sizes: given(s.sizes) } : s)),
    })),
  };
}

/** Kernels that do nothing, but that the embedding traps where the first id is the last of the vocabulary. */
async function failingModule(): Promise<Uint8Array<ArrayBuffer>> {
  const wasm = await loadBinaryen();
  const m = new wasm.Module();
  try {
    m.setFeatures(wasm.Features.BulkMemory);
    m.setMemory(1, 65_536, null, [], false, false, "memory");
    m.addMemoryImport("memory", "env", "memory");
    for (const { name, buffers, sizes: ofKernel } of tinyProgram.kernels) {
      const parameters = Array<number>(3 + buffers.length + ofKernel.length).fill(wasm.i32);
      const id = (): number => m.i32.load(0, 4, m.local.get(3, wasm.i32));
      const trap = (): number => m.if(m.i32.eq(id(), m.i32.const(sizes.V - 1)), m.unreachable());
      m.addFunction(name, wasm.createType(parameters), wasm.none, [], name === "embed" ? trap() : m.nop());
      m.addFunctionExport(name, name);
    }
    if (m.validate() === 0) throw new Error("the module is not right");
    return new Uint8Array(m.emitBinary());
  } finally {
    m.dispose();
  }
}
