/** The Firefox that is installed here, with WebGPU: by wgpu and naga, where Chromium has Dawn and Tint. */
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { installed } from "./installed.ts";

const firefox = installed(process.env["DSC_FIREFOX"], ["firefox", "firefox-esr"]);

/** For the name of a test; empty where there is one. */
export const whyNoFirefox = firefox === null ? " (skipped: no firefox on the PATH)" : "";

/** Off where no release has it for the system, and adapters that draw on a processor are on a list of what it does not trust. */
const preferences = { "dom.webgpu.enabled": true, "gfx.webgpu.ignore-blocklist": true };

/** `icd`: the file that names the one Vulkan driver which it finds. `environment`: beside that. */
export async function openFirefox(icd: string, environment: Readonly<Record<string, string>> = {}): Promise<Browser> {
  if (firefox === null) throw new Error(whyNoFirefox);
  const playwright = await import("playwright-core");
  return playwright.firefox.launch({
    channel: "moz-firefox", // that of Mozilla, by WebDriver BiDi: Playwright's own build has another protocol
    executablePath: fileURLToPath(new URL("./firefox-relay.ts", import.meta.url)),
    firefoxUserPrefs: preferences,
    env: { ...process.env, ...environment, DSC_FIREFOX: firefox, VK_DRIVER_FILES: icd, VK_ICD_FILENAMES: icd },
  });
}
