/** The playground in Chromium, as `dsc playground --out` writes it: edited, planned, run, under a policy that lets nothing be evaluated. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chainText } from "../cli/chain-model.ts";
import { runInside } from "../cli/run-inside.ts";
import { openBrowser, whyNoBrowser } from "../package/browser.ts";
import { type Served, serve } from "../package/serve.ts";
import { goldenPrompt, readGolden, whyUntrained } from "../tinyseek/golden.ts";

const full = process.env["DSC_FULL"] === "1";
const why = full ? whyUntrained || whyNoBrowser : " (skipped: only in the full tests)";

describe.skipIf(why !== "")(`the playground in Chromium${why}`, () => {
  let folder = "";
  let browser: Browser;
  let served: Served;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dsc-play-"));
    const { code, error } = await runInside(["playground", "--out", "play"], folder);
    if (code !== 0) throw new Error(`dsc playground has ended with ${code}: ${error}`);
    served = await serve(join(folder, "play"), false);
    browser = await openBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // Files beside the weights that this model does not have.
      if (message.type() === "error" && !/status of 404/.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${served.address}/`);
    await page.locator("#told-line", { hasText: "Fine." }).waitFor();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("opens with TinySeek, its picture, and no complaint", async () => {
    expect(await page.getByLabel("File", { exact: true }).inputValue()).toBe("models/tinyseek/tinyseek.ds");
    expect(await page.locator("#told-line").textContent()).toBe("Fine. 2,106,568 parameters.");
    await page.getByRole("tab", { name: "Graph" }).click();
    const drawing = page.locator("#picture svg");
    expect(await drawing.getAttribute("aria-label")).toBe("tinyseek");
    expect(
      await drawing
        .locator("text")
        .first()
        .evaluate((e) => getComputedStyle(e.querySelector("tspan") ?? e).fontSize),
    ).toBe("30px");
    expect(complaints).toEqual([]);
  });

  test("runs the trained weights in f64, and they write what is recorded", { timeout: 120_000 }, async () => {
    const { text } = goldenPrompt(readGolden(), "opening");
    await page.getByRole("tab", { name: "Output" }).click();
    await page.getByLabel("Most tokens").fill("12");
    await page.getByLabel("Text to go on from").fill(text);
    await page.getByRole("button", { name: "Run" }).click();
    await page.locator("#status", { hasText: "Done: 12 tokens." }).waitFor();
    expect(await page.locator("#said").textContent()).toMatch(new RegExp(`^${text}, there was a`));
    expect(await page.locator("#best-rows tr").count()).toBe(5);
    await page.getByLabel("Most tokens").fill("1000");
    await page.getByRole("button", { name: "Run" }).click();
    await page.locator("#run-line", { hasText: /^\d+ tokens/ }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Run" }).waitFor();
    expect(await page.locator("[role=alert]").textContent()).toBe("");
  });

  test("tells errors as they are typed, marks their lines, and takes edits back", { timeout: 60_000 }, async () => {
    const text = page.getByLabel("Text of the file");
    const before = await text.inputValue();
    await text.fill(before.replace("part layer : decoder(..)", "part layer : decodr(..)"));
    await page.getByRole("tab", { name: /^Diagnostics/ }).click();
    const line = before.split("\n").findIndex((row) => row.includes("part layer : decoder(..)")) + 1;
    await page.locator("#told-list .error").first().waitFor();
    expect(await page.locator("#told-list pre").first().textContent()).toContain("did you mean `decoder`?");
    expect(await page.locator("#gutter .error").first().textContent()).toBe(String(line));
    await page.getByRole("button", { name: "Undo edits" }).click();
    await page.locator("#told-line", { hasText: "Fine." }).waitFor();
    expect(await text.inputValue()).toBe(before);
    expect(await page.locator("#gutter .error").count()).toBe(0);
  });

  test("shows WGSL beside the line that it comes from", { timeout: 120_000 }, async () => {
    const text = page.getByLabel("Text of the file");
    await text.fill(chainText);
    await page.locator("#config-fold summary").click();
    await page.getByLabel("config.json of the model").fill(`{ "vocab_size": 288 }`);
    await page.getByRole("tab", { name: "Kernels" }).click();
    await page.getByRole("button", { name: "Plan for WebGPU" }).click();
    await page.locator("#plan-line", { hasText: /^\d+ kernels in \d+ phases/ }).waitFor();
    await page.getByLabel("Phase").selectOption("score");
    await page.getByRole("button", { name: "logits", exact: true }).click();
    await page.locator("#kernel-text", { hasText: "@compute" }).waitFor();
    expect(await page.locator("#kernel-line").textContent()).toContain("logits[t,v] := table[ids[t],v]");
    const line = chainText.split("\n").findIndex((row) => row.includes("logits[t,v] :=")) + 1;
    expect(await page.locator("#gutter .here").textContent()).toBe(String(line));
    await page.getByLabel("config.json of the model").fill("");
    await page.getByRole("button", { name: "Plan for WebGPU" }).click();
    await page.locator("[role=alert]", { hasText: "give the model a config.json" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("nothing is wider than a narrow phone", { timeout: 60_000 }, async () => {
    await page.setViewportSize({ width: 340, height: 700 });
    for (const name of [/^Diagnostics/, "Graph", "Kernels", "Output"]) {
      await page.getByRole("tab", { name }).click();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(340);
    }
  });
});
