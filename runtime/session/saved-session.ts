/**
 * A session as bytes, little-endian:
 *
 *     magic      8 bytes
 *     format     u32
 *     program    2 x u32, hash of program.json
 *     weights    2 x u32, hash of samples of the weights
 *     length     u32, tokens
 *     name       u32 bytes, then UTF-8: the model's, for people
 *     ids        i32 x length
 *     rows       of each state, each copy: the rows of all tokens
 *     check      2 x u32, hash of all before
 *
 * Rows are numbers of the model: whoever changes them and the hash changes what it says, not what it may touch.
 */
import { OutOfMemoryError, RestoreError } from "../artifact/errors.ts";
import { type Hash, hashBytes } from "../artifact/hash.ts";
import type { TakeBytes } from "../calls/model-device.ts";

const magic = [0x44, 0x53, 0x43, 0x73, 0x65, 0x73, 0x73, 0x0a]; // "DSCsess\n"
const format = 1;
const headBytes = 36;
const checkBytes = 8;

export interface SessionIdentity {
  readonly name: string;
  readonly program: Hash;
  readonly weights: Hash;
  /** Bytes of the rows of one token, over all states and copies. */
  readonly tokenBytes: number;
  readonly vocabulary: number;
  /** Most tokens that a session holds. */
  readonly context: number;
}

/** `readRows` gives as many bytes as the tokens take. */
export async function writeSession(
  { name, program, weights, tokenBytes }: SessionIdentity,
  ids: Int32Array,
  readRows: (take: TakeBytes) => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const nameBytes = new TextEncoder().encode(name);
  const bytes = roomFor(headBytes + nameBytes.length + (4 + tokenBytes) * ids.length + checkBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(magic);
  for (const [i, value] of [format, ...program, ...weights, ids.length, nameBytes.length].entries())
    view.setUint32(8 + 4 * i, value, true);
  bytes.set(nameBytes, headBytes);
  let at = headBytes + nameBytes.length;
  for (const id of ids) {
    view.setInt32(at, id, true);
    at += 4;
  }
  await readRows((rows) => {
    bytes.set(rows, at);
    at += rows.length;
  });
  const [low, high] = hashBytes(bytes.subarray(0, at));
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  return bytes;
}

function roomFor(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new OutOfMemoryError("a saved session", bytes, null);
  }
}

export interface SavedSession {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly rows: Uint8Array;
}

/** Throws RestoreError for anything but a whole session of this model. */
export function readSession(bytes: Uint8Array, identity: SessionIdentity): SavedSession {
  if (!(bytes instanceof Uint8Array)) throw new RestoreError("expected a Uint8Array");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headBytes + checkBytes || magic.some((byte, i) => bytes[i] !== byte))
    throw new RestoreError("these are no bytes of a session");
  const found = view.getUint32(8, true);
  if (found !== format) throw new RestoreError(`its format is ${found}, this runtime reads ${format}`);
  const end = bytes.length - checkBytes;
  if (!same(view, end, hashBytes(bytes.subarray(0, end)))) throw new RestoreError("its bytes are damaged");
  const [length, nameLength] = [view.getUint32(28, true), view.getUint32(32, true)];
  const nameText = new TextDecoder().decode(bytes.subarray(headBytes, headBytes + Math.min(nameLength, 256)));
  if (!same(view, 12, identity.program))
    throw new RestoreError(
      `it is of ${JSON.stringify(nameText)}, or of another version of ${JSON.stringify(identity.name)}`,
    );
  if (!same(view, 20, identity.weights)) throw new RestoreError("it was made with other weights");
  if (length > identity.context)
    throw new RestoreError(`its ${length} tokens are more than the context of ${identity.context}`);
  const idsAt = headBytes + nameLength;
  const rowsAt = idsAt + 4 * length;
  if (rowsAt + length * identity.tokenBytes !== end) throw new RestoreError("it has another size than its tokens take");
  const ids = Int32Array.from({ length }, (_, i) => view.getInt32(idsAt + 4 * i, true));
  if (ids.some((id) => id < 0 || id >= identity.vocabulary)) throw new RestoreError("an id is not in the vocabulary");
  return { ids, rows: bytes.subarray(rowsAt, end) };
}

const same = (view: DataView, at: number, [low, high]: Hash): boolean =>
  view.getUint32(at, true) === low && view.getUint32(at + 4, true) === high;
