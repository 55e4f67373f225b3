/**
 * Tables of which token ids say the rows: looked up in memory, in a file, over HTTP, in a Blob, before the rest of a call and
 * beside it. The model is small enough that the test computes it too.
 */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeFloat, e4m3 } from "../../runtime/formats/float-format.ts";
import { writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import type { Model } from "../../runtime/package/model.ts";
import { runInside } from "../cli/run-inside.ts";

const text = `/// One scale for 4 numbers of a row.
block row_scales() -> w: [R, I] {
  require I mod 4 == 0
  weight code  : [R, I] e4m3     at "{name}"
  weight scale : [R, I / 4] e8m0 at "{stem}.scale"
  w[r,i] := code[r,i] * scale[r, i div 4]
}
block memory(x: [T, D], ids: [T] in V, pos: [T] in S) -> y: [T, D] {
  param ROWS : dim
  weight table : [ROWS, D] at "table.weight"
  state seen : [S] in V keep 1
  state kept : [S, D]
  seen[pos[t]] <- ids[t]
  row[t]       := ((seen[pos[t] - 1] else 0) * 7 + ids[t] * 5) mod ROWS
  kept[pos[t]] <- x[t]
  sum_of[t,d]  := sum[s in S where s <= pos[t]](kept[s,d])
  y[t,d]       := sum_of[t,d] / 64 + table[row[t] as in ROWS,d]
}
model hashed {
  config {
    V    : dim = $.vocab_size
    D    : dim = $.hidden_size
    ROWS : dim = $.rows
    context : int = $.context
  }
  runtime T : dim    in 1..64
  runtime S : memory in 1..context
  weight embed : [V, D] at "embed.weight"
  weight head  : [V, D] at "head.weight"
  storage e4m3 as row_scales()
  part recall : memory(..) at "recall"

  entry forward(ids: [T] in V, pos: [T] in S) -> (logits: [T, V], next: [V]) {
    x[t] := embed[ids[t]]
    y    := recall(x, ids, pos)
    logits[t,v] := head[v,d] * y[t,d]
    next := logits[T - 1]
  }
  phase decode  = forward -> next where T == 1
  loop chat = sample forward
}
`;
const [V, D, rows, context] = [32, 8, 101, 64];
const config = JSON.stringify({ vocab_size: V, hidden_size: D, rows, context });

let state = 11;
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const reals = (count: number): Float32Array => Float32Array.from({ length: count }, () => random() - 0.5);
const embed = reals(V * D);
const head = reals(V * D);
const codes = Uint8Array.from({ length: rows * D }, () => Math.floor(random() * 126) + (random() < 0.5 ? 0 : 128));
const scales = Uint8Array.from({ length: rows * 2 }, () => 117 + Math.floor(random() * 4));
const table = Float32Array.from(codes, (code, i) => decodeFloat(e4m3, code) * 2 ** ((scales[i >> 2] ?? 0) - 127));

/** Logits of all tokens, [tokens, V]. */
function expected(ids: readonly number[]): readonly number[] {
  const sum = new Float64Array(D);
  return ids.flatMap((id, t) => {
    const row = ((ids[t - 1] ?? 0) * 7 + id * 5) % rows;
    for (let d = 0; d < D; d += 1) sum[d] = (sum[d] ?? 0) + (embed[id * D + d] ?? 0);
    const y = [...sum].map((x, d) => x / 64 + (table[row * D + d] ?? 0));
    return Array.from({ length: V }, (_, v) => y.reduce((n, x, d) => n + x * (head[v * D + d] ?? 0), 0));
  });
}
function near(got: ArrayLike<number>, want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  const most = Math.max(...want.map(Math.abs));
  for (const [i, x] of want.entries()) expect(Math.abs((got[i] ?? Number.NaN) - x) / most, `${i}`).toBeLessThan(1e-6);
}

const folder = mkdtempSync(join(tmpdir(), "dsc-tables-"));
interface Tensor {
  readonly name: string;
  readonly dtype: "F32" | "F8_E4M3" | "F8_E8M0";
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}
const plain: Tensor = { name: "recall.table.weight", dtype: "F32", shape: [rows, D], data: table };
const scaled: readonly Tensor[] = [
  { name: "recall.table.weight", dtype: "F8_E4M3", shape: [rows, D], data: codes },
  { name: "recall.table.scale", dtype: "F8_E8M0", shape: [rows, 2], data: scales },
];
async function write(name: string, own: readonly Tensor[]): Promise<string> {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  const both: readonly Tensor[] = [
    { name: "embed.weight", dtype: "F32", shape: [V, D], data: embed },
    { name: "head.weight", dtype: "F32", shape: [V, D], data: head },
    ...own,
  ];
  const chunks: Uint8Array[] = [];
  const bytes = both.map((t) => ({
    ...t,
    data: () => [new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)],
  }));
  for await (const chunk of writeSafetensors(bytes)) chunks.push(chunk);
  writeFileSync(join(at, "model.safetensors"), Buffer.concat(chunks));
  return at;
}

/** Serves ranges of a folder, and counts what it has sent. */
interface Counted {
  readonly server: Server;
  readonly address: string;
  sent: number;
}
async function counted(at: string): Promise<Counted> {
  const server = createServer((request, response) => {
    const [, from = "", to = ""] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (request.url !== "/model.safetensors") {
      response.writeHead(404).end();
      return;
    }
    const file = readFileSync(join(at, "model.safetensors"));
    const part = from === "" ? file : file.subarray(Number(from), Number(to) + 1);
    if (request.method !== "HEAD") found.sent += part.length;
    response.writeHead(from === "" ? 200 : 206, {
      "Accept-Ranges": "bytes",
      "Content-Length": part.length,
      ...(from === "" ? {} : { "Content-Range": `bytes ${from}-${Number(from) + part.length - 1}/${file.length}` }),
    });
    response.end(request.method === "HEAD" ? undefined : part);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at2 = server.address();
  if (at2 === null || typeof at2 === "string") throw new Error("no port");
  const found: Counted = { server, address: `http://127.0.0.1:${at2.port}/`, sent: 0 };
  return found;
}

let load: (o: LoadOptions) => Promise<Model> = () => Promise.reject(new Error("not compiled"));
let [plainAt, scaledAt] = ["", ""];
beforeAll(async () => {
  writeFileSync(join(folder, "hashed.ds"), text);
  writeFileSync(join(folder, "config.json"), config);
  const { code, error } = await runInside(["compile", "hashed.ds", "--config", "config.json", "--out", "out"], folder);
  if (code !== 0) throw new Error(error);
  const entry: { readonly load: (o: LoadOptions) => Promise<Model> } = await import(
    pathToFileURL(join(folder, "out/index.js")).href
  );
  load = entry.load;
  plainAt = await write("plain", [plain]);
  scaledAt = await write("scaled", scaled);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ids = Array.from({ length: 23 }, () => Math.floor(random() * V));

describe.each([
  ["numbers in memory", () => plainAt, "memory", 1],
  ["numbers in a file", () => plainAt, "source", 1],
  ["fp8 in memory, two threads", () => scaledAt, "memory", 2],
  ["fp8 in a file", () => scaledAt, "source", 1],
  ["fp8 in a file, two threads", () => scaledAt, "source", 2],
] as const)("%s", (_, at, tables, threads) => {
  test("however the tokens come", async () => {
    const model = await load({ weights: at(), tables, threads, chunk: 4 });
    const want = expected(ids);
    const session = model.session();
    near(await session.forward(ids, { all: true }), want);
    near(await session.forward([5]), expected([...ids, 5]).slice(-V));
    session.rollback(9);
    near(await session.forward(ids.slice(15), { all: true }), want.slice(15 * V));
    session.reset();
    for (const [t, id] of ids.entries()) near(await session.forward([id]), want.slice(t * V, (t + 1) * V));
    const again = await model.restore(await session.save());
    near(await again.forward([7]), expected([...ids, 7]).slice(-V));
    model.dispose();
  });

  test("two sessions at one time", async () => {
    const model = await load({ weights: at(), tables, threads, chunk: 3 });
    const [one, two] = [model.session(), model.session()];
    const other = [...ids].reverse();
    const [a, b] = await Promise.all([one.forward(ids, { all: true }), two.forward(other, { all: true })]);
    near(a, expected(ids));
    near(b, expected(other));
    model.dispose();
  });
});

test("rows are read as they are wanted, once, and nothing else of the table", async () => {
  const server = await counted(scaledAt);
  const model = await load({ weights: server.address, tables: "source", threads: 1 });
  const loaded = server.sent;
  const session = model.session();
  near(await session.forward(ids, { all: true }), expected(ids));
  const [info] = model.tables;
  const distinct = new Set(ids.map((id, t) => ((ids[t - 1] ?? 0) * 7 + id * 5) % rows)).size;
  expect(info).toMatchObject({ name: "recall.table", rows, width: D, residency: "source", wanted: ids.length });
  expect(info?.read).toBe(distinct);
  expect(server.sent - loaded).toBe(distinct * (D + 2));
  session.reset();
  await session.forward(ids);
  expect(server.sent - loaded).toBe(distinct * (D + 2));
  model.dispose();
  server.server.close();
});

test("a Blob, with tables where the caller leaves them", async () => {
  const weights = new Blob([readFileSync(join(scaledAt, "model.safetensors"))]);
  for (const tables of ["source", undefined] as const) {
    const model = await load({ weights, threads: 1, ...(tables === undefined ? {} : { tables }) });
    expect(model.tables[0]?.residency).toBe(tables ?? "memory");
    near(await model.session().forward(ids, { all: true }), expected(ids));
    model.dispose();
  }
});

test("what is no residency is refused", async () => {
  const options: object = { weights: plainAt, tables: "disk" };
  await expect(load(options as LoadOptions)).rejects.toMatchObject({ code: "bad-option" });
});

test.each([
  ["a table is missing", [], "missing"],
  ["a table of another shape", [{ ...plain, shape: [rows / 101, rows * D] }], "shape"],
  ["a scale is missing", scaled.slice(0, 1), "shape"],
] as const)("%s", async (name, own, kind) => {
  const weights = await write(name.replaceAll(" ", "-"), own);
  const error: unknown = await load({ weights, threads: 1 }).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "weights-mismatch", problems: [expect.objectContaining({ kind })] });
  expect(String(error)).toContain("recall.table");
});

test("a file that changes under the model: the error says where, the session is what it was, others go on", async () => {
  const weights = await write("shrinks", [plain]);
  const model = await load({ weights, tables: "source", threads: 1 });
  const [session, other] = [model.session(), model.session()];
  near(await session.forward(ids.slice(0, 3)), expected(ids.slice(0, 3)).slice(-V));
  const file = join(weights, "model.safetensors");
  const whole = readFileSync(file);
  truncateSync(file, 1000);
  await expect(session.forward(ids.slice(3))).rejects.toMatchObject({ code: "short-read" });
  expect(session.length).toBe(3);
  truncateSync(file, 0);
  appendFileSync(file, whole);
  near(await other.forward(ids), expected(ids).slice(-V));
  near(await session.forward(ids.slice(3)), expected(ids).slice(-V));
  model.dispose();
});

test("an abort while rows are on their way", async () => {
  const model = await load({ weights: plainAt, tables: "source", threads: 1, chunk: 2 });
  const session = model.session();
  const controller = new AbortController();
  const call = session.forward(ids, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error("enough")), 0);
  const ended = await call.then(
    () => "whole",
    (e: unknown) => (e instanceof Error ? e.message : ""),
  );
  expect(session.length).toBe(ended === "whole" ? ids.length : 0);
  session.reset();
  near(await session.forward(ids), expected(ids).slice(-V));
  model.dispose();
});

test("a model that is disposed of while rows are on their way", async () => {
  const model = await load({ weights: plainAt, tables: "source", threads: 1, chunk: 2 });
  const call = model.session().forward(ids);
  model.dispose();
  await expect(call).rejects.toMatchObject({ name: "DisposedError" });
});

test("a model that is disposed of by whoever is asked for rows", async () => {
  const from = await counted(plainAt);
  try {
    const model = await load({ weights: from.address, tables: "source", threads: 1 });
    from.server.once("request", () => model.dispose());
    await expect(model.session().forward(ids)).rejects.toMatchObject({ name: "DisposedError" });
  } finally {
    from.server.close();
    from.server.closeAllConnections();
  }
});
