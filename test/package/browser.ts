/** The browser that is installed here, or why there is none. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Browser } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** `DSC_CHROMIUM`, else the first of the usual names on the PATH. */
function findChromium(): string | null {
  const own = process.env["DSC_CHROMIUM"] ?? "";
  if (own !== "") return own;
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const files = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return files.find(mayRun) ?? null;
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const chromium = findChromium();

/** For the name of a test; empty where there is a browser. */
export const whyNoBrowser = chromium === null ? " (skipped: no chromium on the PATH)" : "";

/** `switches`: beside those that it needs here. */
export async function openBrowser(switches: readonly string[] = []): Promise<Browser> {
  if (chromium === null) throw new Error(whyNoBrowser);
  const playwright = await import("playwright-core");
  // Root may run it without its sandbox only; pages of this test are ours.
  const args = [...switches, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return playwright.chromium.launch({ executablePath: chromium, args });
}
