/**
 * The page that a package brings along, in Chromium, from a folder on a careful server: what it loads, says, keeps and refuses, how it
 * is used without a mouse and without seeing it. TinySeek's recorded story is what it has to write.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readTokenizer } from "../../runtime/text/tokenizer.ts";
import { writeChain } from "../cli/chain-model.ts";
import { runInside } from "../cli/run-inside.ts";
import { openBrowser, whyNoBrowser } from "../package/browser.ts";
import { type Served, type Spoil, serve } from "../package/serve.ts";
import { goldenPrompt, readGolden, tinyseek, whyUntrained } from "../tinyseek/golden.ts";
import { type OpenedPage, openPage } from "./opened-page.ts";

const full = process.env["DSC_FULL"] === "1";
const why = full ? whyUntrained || whyNoBrowser : " (skipped: only in the full tests)";
const chunk = 4 << 20;

const template =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}|{{ m.content }}|" +
  "{% else %}<{{ m.role }}>{{ m.content }}{% endif %}{% endfor %}{% if thinking %}<think>{% endif %}";

describe.skipIf(why !== "")(`the page of a package in Chromium${why}`, () => {
  let folder = "";
  let browser: Browser;
  let story: Served;
  let chain: Served;
  let context: BrowserContext;
  /** Of the server of TinySeek. */
  let spoil: Spoil = () => null;
  let asked: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dsc-page-"));
    await writeChain(folder, "F32", true);
    writeFileSync(join(folder, "model/chat_template.jinja"), template);
    const text = join(tinyseek, "tinyseek.ds");
    const page = ["--page", "--page-weights", "weights/"];
    for (const [model, config, out] of [
      [text, join(tinyseek, "config.json"), "story"],
      ["chain.ds", "model/config.json", "chain"],
    ] as const) {
      const { code, error } = await runInside(["compile", model, "--config", config, "--out", out, ...page], folder);
      if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
    }
    mkdirSync(join(folder, "story/weights"));
    for (const name of ["model.safetensors", "tokenizer.json", "config.json"])
      cpSync(join(tinyseek, name), join(folder, "story/weights", name));
    cpSync(join(folder, "model"), join(folder, "chain/weights"), { recursive: true });
    story = await serve(join(folder, "story"), true, (path, range) => {
      asked.push(`${path} ${range?.from ?? ""}`);
      return spoil(path, range);
    });
    chain = await serve(join(folder, "chain"), false);
    browser = await openBrowser();
  }, 600_000);
  afterAll(async () => {
    await browser?.close();
    await story?.close();
    await chain?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (served: Served, options: BrowserContextOptions = {}): Promise<OpenedPage> => {
    context = await browser.newContext(options);
    return openPage(context, `${served.address}/`);
  };
  afterEach(async () => {
    await context?.close();
    spoil = () => null;
    asked = [];
  });

  const golden = () => goldenPrompt(readGolden(), "opening");
  const written = (): string => {
    const { text, ids } = golden();
    const tokenizer = readTokenizer({ tokenizer: readFileSync(join(tinyseek, "tokenizer.json"), "utf8") });
    return text + tokenizer.decode(ids);
  };
  const tell = async ({ page, set, ask }: OpenedPage): Promise<string> => {
    const { text, ids } = golden();
    await set({ Temperature: "0", "Most tokens": String(ids.length), "Drafts at a time": "0" });
    await ask(text);
    return (await page.locator("#log .said").textContent()) ?? "";
  };

  test("writes the recorded story, and says how fast and with what", { timeout: 120_000 }, async () => {
    const here = await open(story);
    const { page, load, fact, complaints } = here;
    await load();
    expect(await tell(here)).toBe(written());
    expect(await page.locator("#figures").textContent()).toMatch(
      new RegExp(
        `^${golden().ids.length} tokens · [\\d.]+ tokens/s · prompt [\\d.]+ tokens/s · stopped at the most tokens$`,
      ),
    );
    await page.getByRole("tab", { name: "About" }).click();
    expect(await fact("Model")).toMatch(/^tinyseek, 1\.\d+ million parameters$/);
    expect(await fact("Target")).toMatch(/^WebAssembly, relaxed SIMD, (one thread|\d threads)$/);
    expect(await fact("Memory in all")).toMatch(/^[\d.]+ MB$/);
    expect(await page.getByRole("tab", { name: "Checks" }).isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  test("drafts are counted, an answer goes on where it ended, and is stopped", { timeout: 120_000 }, async () => {
    const { page, load, set, ask, complaints } = await open(story);
    await load();
    const { text, ids } = golden();
    await set({ Temperature: "0", "Most tokens": String(ids.length - 40) });
    await ask(text);
    expect(await page.locator("#figures").textContent()).toMatch(/ · [1-9]\d* of [1-9]\d* drafts right · /);
    await set({ "Most tokens": "40" });
    await page.getByRole("button", { name: "Go on" }).click();
    await page.locator("#log[aria-busy=false]").waitFor();
    await expect.poll(() => page.locator("#log .said").textContent()).toBe(written());
    await set({ "Most tokens": "100000" });
    await page.locator("#send").click();
    // The answer may be at its end before a pointer is there.
    await page.locator("#stop").dispatchEvent("click");
    await page.locator("#figures", { hasText: /stopped by you|at its end|context is full/ }).waitFor();
    await page.getByRole("button", { name: "New" }).click();
    expect(await page.locator("#log").textContent()).toBe("");
    expect(complaints).toEqual([]);
  });

  test("converses, with reasoning apart from the answer", { timeout: 60_000 }, async () => {
    const { page, load, set, ask, complaints } = await open(chain);
    await load();
    await set({ Temperature: "0", "Most tokens": "8" });
    await ask("a");
    expect(await page.locator("#log h3").allTextContents()).toEqual(["You", "Answer"]);
    const fold = page.locator("#log details.reasoning");
    expect(await fold.locator(".said").textContent()).toBe("bc");
    expect(await fold.getAttribute("open")).toBeNull();
    expect(await fold.locator("summary").textContent()).toMatch(/^Reasoned for \d+ s$/);
    const answer = page.locator("#log .turn:not(.user) > div > .said");
    expect(await answer.textContent()).toBe("defg");
    // What was said stands in the next prompt; its answer is of it alone.
    await ask("x");
    expect(await answer.last().textContent()).toBe("yz");
    await page.getByLabel("Reason first").check();
    await ask("y");
    expect(await page.locator("#log .turn").last().locator(".reasoning .said").textContent()).toBe("bc");
    expect(complaints).toEqual([]);
  });

  test("loads the files that a person chooses", { timeout: 60_000 }, async () => {
    const here = await open(story);
    const names = ["model.safetensors", "tokenizer.json", "config.json"].map((name) => join(tinyseek, name));
    await here.page.locator("#files").setInputFiles(names);
    await here.loaded();
    expect(await tell(here)).toBe(written());
    await here.page.getByRole("button", { name: "Unload" }).click();
    await here.page.locator("#folder").setInputFiles(join(folder, "story/weights"));
    await here.loaded();
    expect(await here.fact("Came from")).toContain("files");
    await here.page.getByRole("button", { name: "Unload" }).click();
    await here.page.locator("#files").setInputFiles(names.slice(1));
    expect((await here.error()).text).toContain("of these files one has to be .safetensors");
    expect(here.complaints).toEqual([]);
  });

  describe("what is kept", () => {
    const downloads = (): number => asked.filter((line) => line === "/weights/model.safetensors 4194304").length;

    test("is not fetched again, by another visit or without the server, and is removed", {
      timeout: 120_000,
    }, async () => {
      const { page, load, complaints } = await open(story);
      await load();
      expect(downloads()).toBe(1);
      const second = await openPage(context, `${story.address}/`);
      await second.load();
      expect(downloads()).toBe(1);
      expect(await second.fact("Came from")).toMatch(/^4\.\d MB kept here, 0 bytes downloaded$/);
      // Both read it no more, since all of it is in memory.
      await second.page.getByRole("button", { name: "Unload" }).click();
      spoil = (path) => (path.startsWith("/weights/") ? { cut: 0 } : null);
      await second.page.getByRole("button", { name: /^Load http/ }).click();
      await second.loaded();
      spoil = () => null;
      expect(await tell(second)).toBe(written());
      await page.getByRole("button", { name: "Unload" }).click();
      await page.getByRole("button", { name: /^Remove http/ }).click();
      await page.locator("#kept").waitFor({ state: "hidden" });
      await load();
      expect(downloads()).toBe(2);
      expect([...complaints, ...second.complaints]).toEqual([]);
    });

    test("goes on where it was cancelled", { timeout: 60_000 }, async () => {
      const { page, load, fact, complaints } = await open(story);
      let go = (): void => undefined;
      const wait = new Promise<void>((resolve) => {
        go = resolve;
      });
      spoil = (_, range) => (range?.from === chunk ? { wait } : null);
      await page.getByRole("button", { name: "Load", exact: true }).click();
      await page.locator("#progress-line", { hasText: "of" }).waitFor();
      await expect.poll(downloads).toBe(1);
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.locator("#status", { hasText: "Cancelled. What has arrived is kept." }).waitFor();
      go();
      expect(await page.locator("[role=alert]").textContent()).toBe("");
      await page.locator("#kept-list .hint", { hasText: /^9\d % of 4\.\d MB$/ }).waitFor();
      spoil = () => null;
      await load();
      expect(await fact("Came from")).toMatch(/^4\.2 MB kept here, \d+ KB downloaded$/);
      expect(complaints).toEqual([]);
    });

    test("is shared by two tabs that load at one time", { timeout: 60_000 }, async () => {
      const one = await open(story);
      const other = await openPage(context, `${story.address}/`);
      await Promise.all([one.load(), other.load()]);
      expect(downloads()).toBe(1);
      expect(await Promise.all([one, other].map(tell))).toEqual([written(), written()]);
    });

    test("is told where there is no room, and the model works", { timeout: 60_000 }, async () => {
      const here = await open(story);
      const devtools = await context.newCDPSession(here.page);
      await devtools.send("Storage.overrideQuotaForOrigin", { origin: story.address, quotaSize: 1_000_000 });
      await here.load();
      expect(await here.error()).toMatchObject({ code: "cache-full", text: expect.stringContaining("remove others") });
      expect(await tell(here)).toBe(written());
    });
  });

  describe("what goes wrong is told with a remedy, and the page can be used", () => {
    const cut = (name: string, bytes: number): void => {
      mkdirSync(join(folder, "story", name), { recursive: true });
      const whole = readFileSync(join(tinyseek, "model.safetensors"));
      writeFileSync(join(folder, "story", name, "model.safetensors"), whole.subarray(0, bytes));
    };

    test.each<[string, string, string, string, () => void]>([
      ["no such folder", "nowhere/", "not-found", "Check the address", () => undefined],
      ["a file that is cut off", "short/", "past-end", "cut off or damaged", () => cut("short", 3_000_000)],
      ["no weights", "weights/tokenizer.json", "header-too-large", "no safetensors file", () => undefined],
      [
        "a connection that breaks off",
        "weights/",
        "read-failed",
        "what has arrived is kept",
        () => {
          spoil = (path, range) => (path.endsWith("model.safetensors") && range?.from === chunk ? { cut: 10 } : null);
        },
      ],
      [
        "a server that fails",
        "weights/",
        "bad-response",
        "ranges",
        () => {
          spoil = (path, range) => (path.endsWith("model.safetensors") && range?.from === 0 ? { status: 500 } : null);
        },
      ],
      ["weights of another model", `CHAIN/weights/`, "weights-mismatch", "another model", () => undefined],
    ])("%s", { timeout: 60_000 }, async (_, url, code, remedy, prepare) => {
      prepare();
      const here = await open(story);
      const other = url.replace("CHAIN/", "");
      if (url.startsWith("CHAIN/")) cpSync(join(folder, "model"), join(folder, "story/other"), { recursive: true });
      await here.page.getByLabel("Address of the checkpoint").fill(url.startsWith("CHAIN/") ? "other/" : other);
      await here.page.getByRole("button", { name: "Load", exact: true }).first().click();
      const error = await here.error();
      expect(error.code).toBe(code);
      expect(error.text).toContain(remedy);
      spoil = () => null;
      await here.load("weights/");
      expect(await here.page.locator("[role=alert]").textContent()).toBe("");
      expect(await tell(here)).toBe(written());
      expect(here.complaints).toEqual([]);
    });

    test("an option that means nothing, a text that is too long", { timeout: 60_000 }, async () => {
      const here = await open(story);
      await here.page.getByText("Options").click();
      await here.page.getByLabel("Context, in tokens").evaluate((input: HTMLInputElement) => {
        input.value = "100000";
        input.removeAttribute("max");
      });
      await here.page.getByRole("button", { name: "Load", exact: true }).click();
      // The browser says what the field allows; the runtime says it of what comes otherwise.
      expect((await here.error()).code).toBe("context-length");
      await here.page.getByLabel("Context, in tokens").fill("");
      await here.load();
      await here.ask("word ".repeat(600));
      expect(await here.error()).toMatchObject({ code: "context-length", text: expect.stringContaining("Start anew") });
      expect(await tell(here)).toBe(written());
      expect(await here.page.locator("[role=alert]").textContent()).toBe("");
      await here.set({ Temperature: "-1" });
      await here.ask("Once");
      expect((await here.page.locator("[role=alert]").textContent()) ?? "").toContain("temperature -1");
    });

    test("a worker that dies", { timeout: 60_000 }, async () => {
      const here = await open(story);
      await here.load();
      // To end one from outside is told to nobody; an error that nobody handles is.
      const [worker] = here.page.workers();
      await worker?.evaluate(() => {
        setTimeout(() => {
          throw new Error("out of memory");
        });
      });
      await here.page.locator("#load").waitFor();
      await here.load();
      expect(await tell(here)).toBe(written());
    });
  });

  describe("for everybody", () => {
    test("every field has a name, tabs go by arrows, and focus is where the work is", { timeout: 60_000 }, async () => {
      const { page, load } = await open(story);
      const unnamed = await page.evaluate(() =>
        [...document.querySelectorAll("input, textarea, button, progress, [role]")]
          .filter((e) => {
            const labels =
              e instanceof HTMLInputElement || e instanceof HTMLTextAreaElement ? (e.labels?.length ?? 0) : 0;
            const text = e.tagName === "BUTTON" ? (e.textContent ?? "").trim().length : 0;
            const quiet = ["status", "alert", "tabpanel"].includes(e.getAttribute("role") ?? "");
            return labels + text === 0 && !quiet && !e.hasAttribute("aria-label") && !e.hasAttribute("aria-labelledby");
          })
          .map((e) => e.outerHTML),
      );
      expect(unnamed).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.lang)).toBe("en");
      expect(await page.locator("h1").count()).toBe(1);
      expect(await page.locator("#log").getAttribute("aria-live")).toBe("polite");

      await page.getByLabel("Address of the checkpoint").focus();
      await page.keyboard.press("Enter");
      await page.getByRole("tablist").waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("prompt");
      await page.getByRole("tab", { name: "Write" }).focus();
      await page.keyboard.press("ArrowRight");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("tab-facts");
      expect(await page.getByRole("tabpanel").getAttribute("aria-labelledby")).toBe("tab-facts");
      await page.keyboard.press("ArrowRight");
      expect(await page.getByRole("tab", { selected: true }).textContent()).toBe("Write");
      await page.locator("#prompt").focus();
      await page.keyboard.press("Control+Enter");
      await page.locator("#status", { hasText: /^Done: \d+ tokens\.$/ }).waitFor();
      await page.getByRole("button", { name: "Unload" }).click();
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("load-url");
      await load();
    });

    test.each(["light", "dark"] as const)("text stands out, %s", { timeout: 60_000 }, async (colorScheme) => {
      const { page, load, error } = await open(story, { colorScheme });
      await page.getByLabel("Address of the checkpoint").fill("nowhere/");
      await page.getByRole("button", { name: "Load", exact: true }).click();
      await error();
      const worst = (): Promise<{ readonly ratio: number; readonly text: string }> => page.evaluate(worstContrast);
      expect((await worst()).ratio).toBeGreaterThanOrEqual(4.5);
      await load("weights/");
      await page.locator("#send").click();
      await page.locator("#more").waitFor();
      expect((await worst()).ratio).toBeGreaterThanOrEqual(4.5);
    });

    test("nothing is wider than a narrow phone", { timeout: 60_000 }, async () => {
      const viewport = { width: 320, height: 640 };
      const { page, load, ask } = await open(story, { viewport, isMobile: true, hasTouch: true });
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
      expect(await wide()).toBeLessThanOrEqual(320);
      await load();
      await page.locator("#settings summary").click();
      await ask(`Once ${"x".repeat(200)}`);
      expect(await wide()).toBeLessThanOrEqual(320);
      await page.getByRole("tab", { name: "About" }).click();
      expect(await wide()).toBeLessThanOrEqual(320);
      for (const button of await page.getByRole("button").all())
        if (await button.isVisible()) expect((await button.boundingBox())?.height ?? 0).toBeGreaterThanOrEqual(24);
    });
  });

  test("its own policy lets nothing be evaluated and nothing inline run", { timeout: 60_000 }, async () => {
    const { page } = await open(story);
    const policy = (await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content")) ?? "";
    expect(policy).toMatch(/^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; /);
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*/);
    expect(await page.locator("script:not([src]), [style], style, [onclick]").count()).toBe(0);
  });

  test("is less than 60 KB in all", () => {
    const files = ["index.html", ...["page.js", "page.css", "worker.js", "icon.svg"].map((name) => `page/${name}`)];
    const bytes = files.reduce((n, name) => n + statSync(join(folder, "story", name)).size, 0);
    expect(bytes).toBeLessThan(60_000);
    const { files: listed } = JSON.parse(readFileSync(join(folder, "story/package.json"), "utf8"));
    expect(listed).toEqual(expect.arrayContaining(files));
  });
});

/** The least contrast of any text that is seen, by WCAG 2.2; runs in the page. */
function worstContrast(): { readonly ratio: number; readonly text: string } {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color: string): readonly number[] => {
    if (canvas === null) return [0, 0, 0, 0];
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color: string): number => {
    const [r = 0, g = 0, b = 0] = rgb(color).map((x) =>
      x / 255 <= 0.04045 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (e: Element | null): string => {
    if (e === null) return "white";
    const color = getComputedStyle(e).backgroundColor;
    return (rgb(color)[3] ?? 0) === 255 ? color : ground(e.parentElement);
  };
  let worst = { ratio: 21, text: "" };
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes]
      .filter((n) => n.nodeType === 3 && (n.textContent ?? "").trim() !== "")
      .map((n) => n.textContent)
      .join("");
    if (text === "" || !e.checkVisibility() || e.matches(":disabled, .unseen")) continue;
    const [a, b] = [luminance(getComputedStyle(e).color), luminance(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text };
  }
  return worst;
}
