/** Sends mutated weight files and indexes through the reader and holds its answers against the oracle. */
import { isDeepStrictEqual } from "node:util";
import { WeightsError } from "../../runtime/formats/weights-error.ts";
import { type ByteSource, memorySource } from "../../runtime/weights/byte-source.ts";
import { openSafetensors, openShardedSafetensors } from "../../runtime/weights/open-safetensors.ts";
import type { Weights } from "../../runtime/weights/weights.ts";
import { cpuTime } from "./cpu-time.ts";
import { seeded } from "./random.ts";
import { mutatedFile, mutatedIndex, shardFiles, shardNames } from "./weights-mutations.ts";
import { expectedIndex, expectedTensors } from "./weights-oracle.ts";

export type Kind = "file" | "index";

export interface WeightsOutcome {
  readonly failures: readonly { readonly seed: number; readonly error: string }[];
  /** How often each error code came, and `right`: a run that meets a few of them only tests little. */
  readonly codes: ReadonlyMap<string, number>;
  readonly slowestMs: number;
  /** The most that array buffers grew in one case, in bytes. */
  readonly mostBuffered: number;
}

/** A source that must not be read outside itself, nor more than twice over; and that must be closed once it is opened. */
interface Guarded extends ByteSource {
  readonly isClosed: () => boolean;
}

function guarded(name: string, bytes: Uint8Array): Guarded {
  const source = memorySource(name, bytes);
  let total = 0;
  let closed = false;
  return {
    ...source,
    read: async (offset, length) => {
      total += length;
      if (closed) throw new Error("read after closing");
      if (offset < 0 || offset + length > bytes.length) throw new Error(`read outside the file: ${offset}, ${length}`);
      if (total > 3 * bytes.length + 64) throw new Error("read more than the file, its tensors and again its tensors");
      return source.read(offset, length);
    },
    close: async () => {
      closed = true;
    },
    isClosed: () => closed,
  };
}

/** The typed error, or null for an answer. Any other exception passes through. */
async function errorOf(work: () => Promise<void>): Promise<WeightsError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof WeightsError && error.code !== "read-failed") return error;
    throw error;
  }
}

/** Whether the reader may refuse what the oracle lets pass: it sees things that `JSON.parse` forgets. */
function isStricter({ code, byte }: WeightsError, bytes: Uint8Array): boolean {
  if (code === "nested-too-deeply") return true;
  const rest = new TextDecoder().decode(bytes.subarray(byte ?? 0, (byte ?? 0) + 400));
  const number = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/.exec(rest)?.[0];
  if (number !== undefined) return !/^(?:0|[1-9]\d*)$/.test(number);
  // Half a surrogate pair, which JSON lets pass as an escape.
  return code === "bad-json" && /^\\ud[89a-f]/i.test(rest);
}

async function fileCase(bytes: Uint8Array): Promise<string> {
  const expected = expectedTensors(bytes);
  const source = guarded("m.safetensors", bytes);
  const error = await errorOf(async () => {
    const weights = await openSafetensors(source, { pieceBytes: 16 });
    if (expected === null) throw new Error("a wrong file was opened");
    const found = [...weights.tensors.values()];
    const wanted = expected.map(({ name, dtype, shape, begin, end }) => ({
      ...{ name, dtype, shape, bytes: end - begin, file: source.name },
    }));
    if (!isDeepStrictEqual(found, wanted)) throw new Error("the tensors differ");
    for (const { name, begin, end } of expected) await checkTensor(weights, name, bytes.subarray(begin, end));
    await weights.close();
  });
  if (!source.isClosed()) throw new Error("the file was left open");
  if (error === null) return "right";
  if (expected !== null && !isStricter(error, bytes)) throw new Error(`a right file was refused: ${error.message}`);
  return error.code;
}

/** Bytes of every type; numbers where a few lines can say what they are. */
async function checkTensor(weights: Weights, name: string, stored: Uint8Array): Promise<void> {
  if (!isDeepStrictEqual(await weights.readBytes(name), new Uint8Array(stored))) throw new Error("the bytes differ");
  const { dtype } = weights.tensor(name);
  const copy = stored.slice();
  let wanted: ArrayLike<number | bigint> | null = null;
  if (dtype === "F32") wanted = new Float32Array(copy.buffer);
  if (dtype === "I32") wanted = new Int32Array(copy.buffer);
  if (dtype === "F64") wanted = new Float64Array(copy.buffer);
  if (dtype === "U8" || dtype === "BOOL") wanted = copy;
  if (dtype === "I64") wanted = new BigInt64Array(copy.buffer);
  const mayRefuse = dtype === "BOOL" || dtype === "I64" || dtype === "U64" || wanted === null;
  const error = await errorOf(async () => {
    const numbers = await weights.read(name);
    if (wanted !== null && !isDeepStrictEqual(Array.from(numbers), Array.from(wanted, Number)))
      throw new Error("the numbers differ");
  });
  if (error !== null && !mayRefuse) throw new Error(`numbers were refused: ${error.message}`);
}

async function indexCase(bytes: Uint8Array): Promise<string> {
  const expected = expectedIndex(bytes);
  const index = guarded("m.safetensors.index.json", bytes);
  const shards = new Map(shardNames.map((name, i) => [name as string, guarded(name, shardFiles[i] ?? bytes)]));
  const opened = new Set<Guarded>();
  const error = await errorOf(async () => {
    const weights = await openShardedSafetensors(index, async (name) => {
      const shard = shards.get(name) ?? null;
      if (shard !== null) opened.add(shard);
      return shard;
    });
    if (expected === null) throw new Error("a wrong index was opened");
    const found = new Map([...weights.tensors].map(([name, { file }]) => [name, file]));
    if (!isDeepStrictEqual(found, new Map([...found.keys()].map((name) => [name, expected.get(name)]))))
      throw new Error("the files differ");
    if (found.size !== expected.size) throw new Error("the tensors differ");
    await weights.close();
  });
  if (![index, ...opened].every((source) => source.isClosed())) throw new Error("a file was left open");
  if (error === null) return "right";
  const disagree = ["missing-shard", "missing-tensor", "wrong-shard"].includes(error.code);
  if (expected !== null && disagree && agrees(expected)) throw new Error(`a right index was refused: ${error.message}`);
  if (expected !== null && !disagree && !isStricter(error, bytes))
    throw new Error(`a right index was refused: ${error.message}`);
  return error.code;
}

const homes = new Map<string, string>([
  ...["a", "__proto__"].map((name) => [name, shardNames[0]] as const),
  ...["b", "c.weight"].map((name) => [name, shardNames[1]] as const),
]);
const agrees = (map: ReadonlyMap<string, string>): boolean =>
  [...map].every(([name, file]) => homes.get(name) === file);

/** Seeds `from` to `from + count - 1`; a case is a function of its seed. */
export async function runWeightsCases(kind: Kind, from: number, count: number): Promise<WeightsOutcome> {
  const failures: { seed: number; error: string }[] = [];
  const codes = new Map<string, number>();
  let slowestMs = 0;
  let mostBuffered = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const bytes = kind === "file" ? mutatedFile(seeded(seed)) : mutatedIndex(seeded(seed));
    const before = process.memoryUsage().arrayBuffers;
    const started = cpuTime();
    try {
      const code = await (kind === "file" ? fileCase(bytes) : indexCase(bytes));
      codes.set(code, (codes.get(code) ?? 0) + 1);
    } catch (error) {
      failures.push({ seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    slowestMs = Math.max(slowestMs, cpuTime() - started);
    mostBuffered = Math.max(mostBuffered, process.memoryUsage().arrayBuffers - before);
  }
  return { failures, codes, slowestMs, mostBuffered };
}
