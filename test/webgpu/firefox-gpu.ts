/** Kernels in Firefox: what `Gpu` is with Dawn, on the same drivers. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { RunCall } from "../../backends/wgsl/device-runner.ts";
import { openFirefox, whyNoFirefox } from "../package/firefox.ts";
import type { RunningGpu, VulkanDriver } from "./gpu.ts";
import type { OpenRunner } from "./open-runner.ts";

export interface FirefoxGpu extends RunningGpu {
  /** What is wrong with a module. */
  readonly check: (text: string) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** A text is why it cannot be had. */
export async function openFirefoxGpu(driver: VulkanDriver | string): Promise<FirefoxGpu | string> {
  if (whyNoFirefox !== "") return "no firefox on the PATH";
  if (typeof driver === "string") return driver;
  const script = await build({
    entryPoints: [fileURLToPath(new URL("./open-runner.ts", import.meta.url))],
    bundle: true,
    globalName: "kernels",
    write: false,
  });
  const server = createServer((request, response) => {
    const runner = request.url === "/runner.js";
    response.setHeader("Content-Type", runner ? "text/javascript" : "text/html");
    response.end(runner ? script.outputFiles[0]?.text : '<!doctype html><script src="/runner.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await openFirefox(driver.icd, driver.environment);
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const adapter = await page.evaluate(async () => {
    const opened: OpenRunner | null = await Reflect.get(globalThis, "kernels").openRunner(navigator.gpu);
    Reflect.set(globalThis, "opened", opened);
    return opened?.adapter ?? null;
  });
  const check = (text: string): Promise<readonly string[]> => page.evaluate(checkInPage, text);
  if (adapter !== null) return { adapter, check, run: (call) => page.evaluate(runInPage, call), close };
  await close();
  return "Firefox finds no adapter there";
}

const checkInPage = (text: string): Promise<readonly string[]> =>
  Reflect.get(globalThis, "kernels").refusals(Reflect.get(globalThis, "opened").device, text);
const runInPage: RunCall = (call) => Reflect.get(globalThis, "opened").runner.run(call);
