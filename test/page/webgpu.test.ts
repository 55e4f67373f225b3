/** The page of a package for WebGPU, in Chromium on the adapter that it has without a GPU: it says the same as on WebAssembly. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTokenizer } from "../../runtime/text/tokenizer.ts";
import { writeChain } from "../cli/chain-model.ts";
import { runInside } from "../cli/run-inside.ts";
import { openBrowser, whyNoBrowser } from "../package/browser.ts";
import { type Served, serve } from "../package/serve.ts";
import { goldenPrompt, readGolden, tinyseek, whyUntrained } from "../tinyseek/golden.ts";
import { openPage } from "./opened-page.ts";

const full = process.env["DSC_FULL"] === "1";
const why = full ? whyUntrained || whyNoBrowser : " (skipped: only in the full tests)";

/** Shaders are compiled for a processor: minutes where it has other work. */
const patience = 600_000;

describe.skipIf(why !== "")(`the page of a package for WebGPU in Chromium${why}`, () => {
  let folder = "";
  let browser: Browser;
  let without: Browser;
  const served: Record<string, Served> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dsc-page-gpu-"));
    await writeChain(folder, "F32", true);
    writeFileSync(
      join(folder, "model/chat_template.jinja"),
      "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}",
    );
    for (const [out, model, config, weights] of [
      ["chain", "chain.ds", "model/config.json", join(folder, "model")],
      ["story", join(tinyseek, "tinyseek.ds"), join(tinyseek, "config.json"), tinyseek],
    ] as const) {
      const args = ["compile", model, "--config", config, "--out", out, "--target", "webgpu"];
      const { code, error } = await runInside([...args, "--page", "--page-weights", "weights/"], folder);
      if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
      mkdirSync(join(folder, out, "weights"));
      for (const name of ["model.safetensors", "tokenizer.json", "config.json"])
        cpSync(join(weights, name), join(folder, out, "weights", name));
      served[out] = await serve(join(folder, out), true);
    }
    cpSync(join(folder, "model/chat_template.jinja"), join(folder, "chain/weights/chat_template.jinja"));
    browser = await openBrowser(["--enable-unsafe-webgpu"]);
    without = await openBrowser();
  }, patience);
  afterAll(async () => {
    await browser?.close();
    await without?.close();
    for (const { close } of Object.values(served)) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (name: string, from = browser) => {
    const context = await from.newContext();
    return openPage(context, `${served[name]?.address}/`, patience);
  };

  test("converses, tells its adapter and variant, and checks its kernels", { timeout: patience }, async () => {
    const { page, load, set, ask, fact, complaints } = await open("chain");
    await load();
    await set({ Temperature: "0", "Most tokens": "8" });
    await ask("a");
    expect(await page.locator("#log details.reasoning .said").textContent()).toBe("bc");
    expect(await page.locator("#log .turn:not(.user) > div > .said").textContent()).toBe("defg");
    await page.getByRole("tab", { name: "About" }).click();
    expect(await fact("Target")).toMatch(/^WebGPU, /);
    expect(await fact("Variant")).toMatch(/^(f16-)?(subgroups|plain)$|^f16$/);
    await page.getByRole("tab", { name: "Checks" }).click();
    await page.getByRole("button", { name: "Run the checks" }).click();
    await page.locator("#checks-line", { hasText: /^All [1-9]\d* checks are right\.$/ }).waitFor({ timeout: patience });
    for (const row of await page.locator("#checks-rows tr").all())
      expect(await row.locator("td").allTextContents()).toEqual([
        expect.stringMatching(/^\w+$/),
        expect.stringMatching(/^0$|^\d\.\de[+-]\d+$/),
        expect.stringMatching(/^0$|^\d\.\de[+-]\d+$/),
        "right",
      ]);
    expect(complaints).toEqual([]);
  });

  test("a GPU that is taken away is told, and the weights can be loaded again", { timeout: patience }, async () => {
    const { page, load, set, ask, error, complaints } = await open("chain");
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

  test("without an adapter it says what helps, and stays", { timeout: patience }, async () => {
    const { page, error, complaints } = await open("chain", without);
    for (let i = 0; i < 2; i += 1) {
      await page.getByRole("button", { name: "Load", exact: true }).first().click();
      expect(await error()).toMatchObject({ code: "no-adapter", text: expect.stringContaining("compiled for wasm") });
    }
    expect(complaints).toEqual([]);
  });

  test("TinySeek writes the recorded story, token for token as on WebAssembly", { timeout: 2 * patience }, async () => {
    const { page, load, set, ask, complaints } = await open("story");
    await load();
    const { text, ids } = goldenPrompt(readGolden(), "opening");
    await set({ Temperature: "0", "Most tokens": String(ids.length) });
    await ask(text);
    const tokenizer = readTokenizer({ tokenizer: readFileSync(join(tinyseek, "tokenizer.json"), "utf8") });
    expect(await page.locator("#log .said").textContent()).toBe(text + tokenizer.decode(ids));
    expect(await page.locator("#figures").textContent()).toMatch(/ · [1-9]\d* of [1-9]\d* drafts right · /);
    expect(complaints).toEqual([]);
  });
});
