/** The page of a package for WebGPU, in Chromium on the adapter that it has without a GPU: it says the same as on WebAssembly. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, whyNoBrowser } from "../package/browser.ts";
import { whyUntrained } from "../tinyseek/golden.ts";
import { type OpenedPage, openPage } from "./opened-page.ts";
import { converse, missAdapter, patience, type ServedPage, serveChain, serveStory, tellStory } from "./webgpu-pages.ts";

const full = process.env["DSC_FULL"] === "1";
const why = full ? whyUntrained || whyNoBrowser : " (skipped: only in the full tests)";

describe.skipIf(why !== "")(`the page of a package for WebGPU in Chromium${why}`, () => {
  let chain: ServedPage;
  let browser: Browser;
  let without: Browser;

  beforeAll(async () => {
    chain = await serveChain();
    browser = await openBrowser(["--enable-unsafe-webgpu"]);
    without = await openBrowser();
  }, patience);
  afterAll(async () => {
    await browser?.close();
    await without?.close();
    await chain?.close();
  });

  const open = async (address: string, from = browser): Promise<OpenedPage> =>
    openPage(await from.newContext(), address, patience);

  test("converses, tells its adapter and variant, and checks its kernels", { timeout: patience }, async () => {
    expect(await converse(await open(chain.address))).toMatch(/^(f16-)?(subgroups|plain)$|^f16$/);
  });

  test("a GPU that is taken away is told, and the weights can be loaded again", { timeout: patience }, async () => {
    const { page, load, set, ask, error, complaints } = await open(chain.address);
    const [worker] = page.workers();
    // The device is the worker's own: it is kept where the test can lose it.
    await worker?.evaluate(() => {
      const asked = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...order) {
        const device = await asked.apply(this, order);
        Reflect.set(globalThis, "taken", device);
        return device;
      };
    });
    await load();
    await page.getByRole("button", { name: "Dismiss" }).click(); // that a processor does the work
    await set({ Temperature: "0", "Most tokens": "8" });
    await ask("w");
    await worker?.evaluate(() => Reflect.get(globalThis, "taken").destroy());
    await page.locator("#prompt").fill("w");
    await page.locator("#send").click();
    expect(await error()).toMatchObject({
      code: "device-lost",
      text: expect.stringContaining("Load the weights again"),
    });
    await page.locator("#load").waitFor();
    await load();
    await ask("w");
    expect(await page.locator("#log .turn:not(.user) > div > .said").textContent()).toBe("xyz");
    expect(complaints).toEqual([]);
  });

  test("is cancelled while kernels are made, and loads afterwards", { timeout: patience }, async () => {
    const { page, load, complaints } = await open(chain.address);
    const [worker] = page.workers();
    // A compiler that does not end.
    await worker?.evaluate(() => {
      const { createComputePipelineAsync: make } = GPUDevice.prototype;
      Reflect.set(globalThis, "make", make);
      GPUDevice.prototype.createComputePipelineAsync = () => {
        Reflect.set(globalThis, "making", true);
        return new Promise(() => undefined);
      };
    });
    await page.getByRole("button", { name: "Load", exact: true }).first().click();
    await expect
      .poll(() => worker?.evaluate(() => Reflect.get(globalThis, "making")), { timeout: patience })
      .toBe(true);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.locator("#load").waitFor();
    await worker?.evaluate(() => {
      GPUDevice.prototype.createComputePipelineAsync = Reflect.get(globalThis, "make");
    });
    await load();
    expect(complaints).toEqual([]);
  });

  test("without an adapter it says what helps, and stays", { timeout: patience }, async () => {
    await missAdapter(await open(chain.address, without));
  });

  test("TinySeek writes the recorded story, token for token as on WebAssembly", { timeout: 2 * patience }, async () => {
    const story = await serveStory();
    try {
      await tellStory(await open(story.address));
    } finally {
      await story.close();
    }
  });
});
