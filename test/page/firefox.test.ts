/** The same page in Firefox, whose WebGPU shares no code with Chromium's: wgpu, with naga for its compiler. */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openFirefox, whyNoFirefox } from "../package/firefox.ts";
import { whyUntrained } from "../tinyseek/golden.ts";
import { lavapipeDriver, swiftshaderDriver } from "../webgpu/drivers.ts";
import type { VulkanDriver } from "../webgpu/gpu.ts";
import { type OpenedPage, openPage } from "./opened-page.ts";
import { converse, missAdapter, patience, type ServedPage, serveChain, serveStory, tellStory } from "./webgpu-pages.ts";

const full = process.env["DSC_FULL"] === "1";
const why = full ? whyUntrained || whyNoFirefox : " (skipped: only in the full tests)";

/** For the name of a test; empty where the driver is there. */
function whyNoDriver(driver: VulkanDriver | string): string {
  if (typeof driver === "string") return ` (skipped: ${driver})`;
  return existsSync(driver.icd) ? "" : ` (skipped: there is no ${driver.icd})`;
}

describe.skipIf(why !== "")(`the page of a package for WebGPU in Firefox${why}`, () => {
  let chain: ServedPage;
  beforeAll(async () => {
    chain = await serveChain();
  }, patience);
  afterAll(() => chain?.close());

  const inFirefox = async <T>(icd: string, address: string, work: (opened: OpenedPage) => Promise<T>): Promise<T> => {
    const browser = await openFirefox(icd);
    try {
      return await work(await openPage(await browser.newContext(), address, patience));
    } finally {
      await browser.close();
    }
  };

  const drivers = { SwiftShader: swiftshaderDriver, lavapipe: lavapipeDriver() };
  describe.each(Object.entries(drivers))("on %s", (_, driver) => {
    const missing = whyNoDriver(driver);
    test.skipIf(missing !== "")(`converses, and its kernels are right${missing}`, { timeout: patience }, async () => {
      if (typeof driver === "string") return;
      // No release has subgroups.
      expect(await inFirefox(driver.icd, chain.address, converse)).toMatch(/^plain$|^f16$/);
    });
  });

  test("without an adapter it says what helps, and stays", { timeout: patience }, async () => {
    await inFirefox("/nowhere.json", chain.address, missAdapter);
  });

  const missing = whyNoDriver(swiftshaderDriver);
  test.skipIf(missing !== "")(
    `TinySeek writes the recorded story, token for token${missing}`,
    { timeout: patience },
    async () => {
      const story = await serveStory();
      try {
        await inFirefox(swiftshaderDriver.icd, story.address, tellStory);
      } finally {
        await story.close();
      }
    },
  );
});
