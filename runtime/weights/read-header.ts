/** From a source to a checked header, or to a typed error. */
import {
  headerLengthBytes,
  parseSafetensorsHeader,
  readHeaderLength,
  type SafetensorsHeader,
} from "../formats/safetensors-header.ts";
import { type ByteSource, defaultPieceBytes, type ReadOptions, readExactly, readWhole } from "./byte-source.ts";

/** Reads the 8 bytes and the JSON, no data; allocates the JSON's length, which is checked against the file first. */
export async function readSafetensorsHeader(
  source: ByteSource,
  { signal }: ReadOptions = {},
): Promise<SafetensorsHeader> {
  const facts = { file: source.name, fileSize: source.size };
  const prefixLength = Math.min(headerLengthBytes, source.size);
  const prefix = await readExactly(source, { offset: 0, length: prefixLength, signal });
  const length = readHeaderLength(prefix, facts);
  const json = await readWhole(source, { offset: headerLengthBytes, length, signal }, defaultPieceBytes);
  return parseSafetensorsHeader(json, facts);
}
