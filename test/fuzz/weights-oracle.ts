/**
 * What is right, said a second time and simply: `JSON.parse`, a search for equal names, and a few lines. It does not see how
 * a number was spelt, or how deep a value is nested; the caller knows.
 */
interface Expected {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Names and bits, from the format's documentation. */
const bitsOf = new Map(
  Object.entries({
    ...{ BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, F4: 4 },
    ...{ F6_E2M3: 6, F6_E3M2: 6, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64 },
    ...{ F64: 64, I64: 64, U64: 64 },
  }),
);

const isCount = (x: unknown): x is number => typeof x === "number" && Number.isSafeInteger(x) && x >= 0;
const entriesOf = (x: unknown): readonly (readonly [string, unknown])[] | null =>
  typeof x === "object" && x !== null && !Array.isArray(x) ? Object.entries(x) : null;

/** Undefined for what is no JSON, and for JSON that has equal names on a path that `matters`. */
function jsonOf(bytes: Uint8Array, matters: (path: readonly string[]) => boolean): unknown {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return equalNames(text).some(matters) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Paths of the names that stand twice in their object; an array is a step named `[]`. The text is JSON. */
function equalNames(text: string): readonly (readonly string[])[] {
  const found: string[][] = [];
  const open: { step: string; readonly names: Set<string> }[] = [];
  for (const [token, key] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    const top = open.at(-1);
    if (token === "{" || token === "[") open.push({ step: "[]", names: new Set() });
    else if (token === "}" || token === "]") open.pop();
    else if (key !== undefined && top !== undefined) {
      top.step = JSON.parse(key);
      if (top.names.has(top.step)) found.push(open.map(({ step }) => step));
      top.names.add(top.step);
    }
  }
  return found;
}

const namesOfHeader = ([name, field, ...rest]: readonly string[]): boolean =>
  rest.length === 0 &&
  (field === undefined || name === "__metadata__" || ["dtype", "shape", "data_offsets"].includes(field));

const namesOfIndex = ([name = "", tensor, ...rest]: readonly string[]): boolean =>
  rest.length === 0 && (tensor === undefined ? ["weight_map", "metadata"].includes(name) : name === "weight_map");

/** The tensors of a right file in the order of their data; null for a wrong one. */
export function expectedTensors(file: Uint8Array): readonly Expected[] | null {
  if (file.length < 8) return null;
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > 100_000_000n || length > BigInt(file.length - 8) || file[8] !== 0x7b) return null;
  const start = 8 + Number(length);
  const members = entriesOf(jsonOf(file.subarray(8, start), namesOfHeader));
  if (members === null) return null;
  const tensors: Expected[] = [];
  for (const [name, entry] of members) {
    if (name === "__metadata__") {
      if (!entriesOf(entry)?.every(([, value]) => typeof value === "string")) return null;
      continue;
    }
    const tensor = expectedTensor(name, entry, start);
    if (tensor === null) return null;
    tensors.push(tensor);
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const ends = [start, ...tensors.map(({ end }) => end)];
  return tensors.every(({ begin }, i) => begin === ends[i]) && ends.at(-1) === file.length ? tensors : null;
}

function expectedTensor(name: string, entry: unknown, start: number): Expected | null {
  const { dtype, shape, data_offsets: offsets } = Object.fromEntries(entriesOf(entry) ?? []);
  const bits = typeof dtype === "string" ? bitsOf.get(dtype) : undefined;
  if (typeof dtype !== "string" || bits === undefined || !Array.isArray(shape) || !Array.isArray(offsets)) return null;
  const [begin, end] = offsets;
  if (shape.length > 64 || !shape.every(isCount) || offsets.length !== 2 || !isCount(begin) || !isCount(end))
    return null;
  let elements = 1n;
  for (const axis of shape) {
    elements *= BigInt(axis);
    if (elements > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  }
  if (elements * BigInt(bits) !== BigInt(end - begin) * 8n) return null;
  return { name, dtype, shape, begin: start + begin, end: start + end };
}

/** File name by tensor of a right index; null for a wrong one. Whether the shards agree is not asked. */
export function expectedIndex(bytes: Uint8Array): ReadonlyMap<string, string> | null {
  const members = entriesOf(jsonOf(bytes, namesOfIndex));
  if (members === null) return null;
  const { metadata = {}, weight_map: weightMap } = Object.fromEntries(members);
  const entries = entriesOf(weightMap);
  if (entries === null || entriesOf(metadata) === null) return null;
  const map = new Map<string, string>();
  for (const [tensor, file] of entries) {
    if (typeof file !== "string" || !/^[^./\\:\p{Cc}][^/\\:\p{Cc}]*\.safetensors$/u.test(file)) return null;
    map.set(tensor, file);
  }
  return map;
}
