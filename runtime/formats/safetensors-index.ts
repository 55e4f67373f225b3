/**
 * `model.safetensors.index.json`: which file holds which tensor.
 *
 *     { "metadata": { "total_size": bytes, … }, "weight_map": { tensor name: file name } }
 *
 * `metadata` is informative: publishers count it in different ways, so it is reported and not compared.
 */
import { JsonCursor } from "./json-cursor.ts";
import { firstInvalidUtf8 } from "./utf8.ts";
import { quoted, WeightsError } from "./weights-error.ts";

/** As for a header. The largest published index, of 145,116 tensors, has some 15 MB. */
export const longestIndex = 100_000_000;

export interface SafetensorsIndex {
  /** `metadata.total_size` when it is there and a number. */
  readonly totalSize: number | null;
  /** File name by tensor name, in the order of the file. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** The file names without repetition, in order of first mention. */
  readonly shards: readonly string[];
}

/** The checked index. Errors: bad-utf8, bad-json, nested-too-deeply, bad-index, duplicate-name, bad-file-name. */
export function parseSafetensorsIndex(json: Uint8Array, file: string): SafetensorsIndex {
  const invalid = firstInvalidUtf8(json);
  if (invalid >= 0)
    throw new WeightsError({ code: "bad-utf8", file, byte: invalid, message: "the index is not valid UTF-8" });
  const cursor = new JsonCursor({ bytes: json, file, origin: 0 });
  const found: { metadata: IndexMetadata | null; weightMap: ReadonlyMap<string, string> | null } = {
    metadata: null,
    weightMap: null,
  };
  cursor.object(
    (name, byte) => {
      const once = (earlier: unknown): void => {
        if (earlier !== null) cursor.fail("duplicate-name", `${quoted(name)} stands twice in the index`, byte);
      };
      if (name === "weight_map") {
        once(found.weightMap);
        found.weightMap = readWeightMap(cursor);
      } else if (name === "metadata") {
        once(found.metadata);
        found.metadata = readMetadata(cursor);
      } else cursor.skip();
    },
    () => cursor.fail("bad-index", "the index must be a JSON object"),
  );
  cursor.end();
  const weightMap = found.weightMap ?? cursor.fail("bad-index", 'the index has no "weight_map"', 0);
  return { totalSize: found.metadata?.totalSize ?? null, weightMap, shards: [...new Set(weightMap.values())] };
}

interface IndexMetadata {
  readonly totalSize: number | null;
}

function readMetadata(cursor: JsonCursor): IndexMetadata {
  let totalSize: number | null = null;
  cursor.object(
    (key) => {
      const value = cursor.skip();
      if (key === "total_size") totalSize = value !== null && Number.isFinite(value) ? value : null;
    },
    () => cursor.fail("bad-index", '"metadata" must be an object'),
  );
  return { totalSize };
}

function readWeightMap(cursor: JsonCursor): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  // Thousands of tensors name one file: keep one string for all.
  const files = new Map<string, string>();
  cursor.object(
    (tensor, byte) => {
      cursor.tensor = tensor;
      if (map.has(tensor)) cursor.fail("duplicate-name", 'the name stands twice in "weight_map"', byte);
      const fileByte = cursor.position();
      const text = cursor.string(() => cursor.fail("bad-index", '"weight_map" must give a file name', fileByte));
      const shard = files.get(text) ?? text;
      const objection = files.has(text) ? null : objectionToFileName(text);
      if (objection !== null) cursor.fail("bad-file-name", `the file name ${quoted(text)} ${objection}`, fileByte);
      files.set(shard, shard);
      map.set(tensor, shard);
      cursor.tensor = null;
    },
    () => cursor.fail("bad-index", '"weight_map" must be an object'),
  );
  return map;
}

/** Why a shard may not have this name, or null. An index must not lead out of its own folder, on any system. */
function objectionToFileName(name: string): string | null {
  if (/[/\\:]/.test(name)) return "must be a plain name, without folders or drives";
  if (/\p{Cc}/u.test(name)) return "has control characters";
  if (name.startsWith(".") || !name.endsWith(".safetensors"))
    return "must end in .safetensors and not begin with a dot";
  if (name.length > 255) return "is longer than 255 characters";
  return null;
}
