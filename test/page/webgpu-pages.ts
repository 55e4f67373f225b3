/** Packages for WebGPU with their pages, on a server, and what a page has to do in every browser. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { readTokenizer } from "../../runtime/text/tokenizer.ts";
import { writeChain } from "../cli/chain-model.ts";
import { runInside } from "../cli/run-inside.ts";
import { serve } from "../package/serve.ts";
import { goldenPrompt, readGolden, tinyseek } from "../tinyseek/golden.ts";
import type { OpenedPage } from "./opened-page.ts";

/** Shaders are compiled for a processor: minutes where it has other work. */
export const patience = 600_000;

/** A package with its page and its weights, on a server. */
export interface ServedPage {
  readonly address: string;
  readonly close: () => Promise<void>;
}

/** A model that says one letter after the other, with a template that has reasoning. */
export const serveChain = (): Promise<ServedPage> =>
  servePage(async (folder) => {
    await writeChain(folder, "F32", true);
    const template = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}";
    writeFileSync(join(folder, "model/chat_template.jinja"), template);
    return { text: join(folder, "chain.ds"), weights: join(folder, "model"), templates: ["chat_template.jinja"] };
  });

export const serveStory = (): Promise<ServedPage> =>
  servePage(async () => ({ text: join(tinyseek, "tinyseek.ds"), weights: tinyseek, templates: [] }));

interface Source {
  readonly text: string;
  /** The folder of the checkpoint. */
  readonly weights: string;
  readonly templates: readonly string[];
}

async function servePage(source: (folder: string) => Promise<Source>): Promise<ServedPage> {
  const folder = mkdtempSync(join(tmpdir(), "dsc-page-gpu-"));
  const { text, weights, templates } = await source(folder);
  const args = ["compile", text, "--config", join(weights, "config.json"), "--out", "site", "--target", "webgpu"];
  const { code, error } = await runInside([...args, "--page", "--page-weights", "weights/"], folder);
  if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
  mkdirSync(join(folder, "site/weights"));
  for (const name of ["model.safetensors", "tokenizer.json", "config.json", ...templates])
    cpSync(join(weights, name), join(folder, "site/weights", name));
  const { address, close } = await serve(join(folder, "site"), true);
  const closed = async (): Promise<void> => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { address: `${address}/`, close: closed };
}

/** The page of the chain: it answers, tells what it runs on, and its kernels are right. Gives the variant that is used. */
export async function converse({ page, load, set, ask, fact, complaints }: OpenedPage): Promise<string> {
  await load();
  await set({ Temperature: "0", "Most tokens": "8" });
  await ask("a");
  expect(await page.locator("#log details.reasoning .said").textContent()).toBe("bc");
  expect(await page.locator("#log .turn:not(.user) > div > .said").textContent()).toBe("defg");
  await page.getByRole("tab", { name: "About" }).click();
  expect(await fact("Target")).toMatch(/^WebGPU, /);
  const variant = await fact("Variant");
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
  return variant;
}

/** The page of TinySeek: it writes what was recorded, token for token as on WebAssembly, and some of its drafts are right. */
export async function tellStory({ page, load, set, ask, complaints }: OpenedPage): Promise<void> {
  await load();
  const { text, ids } = goldenPrompt(readGolden(), "opening");
  await set({ Temperature: "0", "Most tokens": String(ids.length) });
  await ask(text);
  const tokenizer = readTokenizer({ tokenizer: readFileSync(join(tinyseek, "tokenizer.json"), "utf8") });
  expect(await page.locator("#log .said").textContent()).toBe(text + tokenizer.decode(ids));
  expect(await page.locator("#figures").textContent()).toMatch(/ · [1-9]\d* of [1-9]\d* drafts right · /);
  expect(complaints).toEqual([]);
}

/** The page of the chain where there is no adapter: twice, as it stays usable. */
export async function missAdapter({ page, error, complaints }: OpenedPage): Promise<void> {
  for (let i = 0; i < 2; i += 1) {
    await page.getByRole("button", { name: "Load", exact: true }).first().click();
    expect(await error()).toMatchObject({ code: "no-adapter", text: expect.stringContaining("compiled for wasm") });
  }
  expect(complaints).toEqual([]);
}
