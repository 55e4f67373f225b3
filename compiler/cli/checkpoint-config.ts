/** The config of a checkpoint's folder: as it was downloaded, or with what `dsc import` has added to it. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const downloadedConfig = "config.json";
/** The whole config, with constants that the downloaded one lacks. Where it is, it is read instead. */
export const completedConfig = "config.dsc.json";

/** Null where the folder has none. */
export function configIn(folder: string): string | null {
  const files = [completedConfig, downloadedConfig].map((name) => join(folder, name));
  return files.find((file) => existsSync(file)) ?? null;
}
