/** stories260K as a checkpoint beside the package that `dsc compile` makes for it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { writeStories } from "../real/stories-checkpoint.ts";
import { readStoriesData, type StoriesData } from "../real/stories-data.ts";

export interface StoriesPackage {
  readonly folder: string;
  /** Inside of the folder. */
  readonly checkpoint: string;
  readonly package: string;
  readonly data: StoriesData;
  readonly remove: () => void;
}

export async function makeStoriesPackage(...options: readonly string[]): Promise<StoriesPackage> {
  const folder = mkdtempSync(join(tmpdir(), "dsc-stories-"));
  const data = readStoriesData();
  const [checkpoint, place] = [join(folder, "checkpoint"), join(folder, "package")];
  await writeStories(checkpoint, data.weights, data.tok512);
  const config = join(checkpoint, "config.json");
  const args = ["compile", join(root, "models/deepseek-llm.ds"), "--config", config, "--out", place, ...options];
  const { code, error } = await runInside(args, folder);
  if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
  return { folder, checkpoint, package: place, data, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
