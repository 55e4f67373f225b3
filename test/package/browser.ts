/** The browser that is installed here, or why there is none. */
import type { Browser } from "playwright-core";
import { installed } from "./installed.ts";

const chromium = installed(process.env["DSC_CHROMIUM"], ["chromium", "chromium-browser", "google-chrome"]);

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
