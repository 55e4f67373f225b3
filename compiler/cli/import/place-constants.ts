/** Files with worked-out constants beside a checkpoint: what they would hold, what is there, and what is written. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeSafetensors } from "../../../runtime/formats/write-safetensors.ts";
import { extraFile } from "../../../runtime/weights/extra-tensors.ts";
import { completedConfig } from "../checkpoint-config.ts";
import { withValue } from "../tiny/json-text.ts";
import { writeFolder } from "../tiny/write-folder.ts";
import type { PlannedConstants } from "./plan-constants.ts";

/** `new`: not there yet. `same`: there, as it would be written. `other`: there, with something else. */
export interface PlacedFile {
  readonly name: string;
  readonly state: "new" | "same" | "other";
  readonly bytes: Uint8Array;
  /** What it has that the downloaded files lack. */
  readonly holds: readonly string[];
}

/** `config`: the text of the downloaded one. */
export async function placeConstants(
  folder: string,
  config: string,
  { members, tensors }: PlannedConstants,
): Promise<readonly PlacedFile[]> {
  const files: Omit<PlacedFile, "state">[] = [];
  if (members.length > 0) {
    const text = members.reduce((whole, { path, value }) => withValue(whole, path.split("."), value) ?? whole, config);
    files.push({
      name: completedConfig,
      bytes: new TextEncoder().encode(text),
      holds: members.map(({ path }) => path),
    });
  }
  if (tensors.length > 0) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeSafetensors(tensors, { file: extraFile })) chunks.push(chunk);
    files.push({ name: extraFile, bytes: Buffer.concat(chunks), holds: tensors.map(({ name }) => name) });
  }
  return Promise.all(
    files.map(async (file) => ({ ...file, state: await stateOf(join(folder, file.name), file.bytes) })),
  );
}

async function stateOf(path: string, bytes: Uint8Array): Promise<PlacedFile["state"]> {
  if (!existsSync(path)) return "new";
  const hash = (one: Uint8Array): string => createHash("sha256").update(one).digest("hex");
  return hash(await readFile(path)) === hash(bytes) ? "same" : "other";
}

/** Writes all of them or none. */
export const writeConstants = (folder: string, files: readonly PlacedFile[]): Promise<void> =>
  writeFolder(
    folder,
    files.map(({ name, bytes }) => ({
      name,
      chunks: async function* () {
        yield bytes;
      },
    })),
  );
