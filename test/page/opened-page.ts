/** A package's page in a browser, with what it complained of. */
import type { BrowserContext, Page } from "playwright-core";

export interface OpenedPage {
  readonly page: Page;
  /** Errors of scripts and of the console, refusals of the policy included; not the 404s of files that need not be there. */
  readonly complaints: readonly string[];
  /** Loads what the page offers, or another address, and waits until the model is there. */
  readonly load: (url?: string) => Promise<void>;
  /** Waits until the model is there; what the page says of a failure is the error. */
  readonly loaded: () => Promise<void>;
  /** Asks, and waits for the end of the answer. */
  readonly ask: (text: string) => Promise<void>;
  /** What of the page's fields is not as usual. */
  readonly set: (fields: Readonly<Record<string, string>>) => Promise<void>;
  /** What an error says, waited for: its code and all of its text. */
  readonly error: () => Promise<{ readonly code: string; readonly text: string }>;
  /** A fact of the model, by name. */
  readonly fact: (name: string) => Promise<string>;
}

/** `patience`: milliseconds that loading and an answer may take. */
export async function openPage(context: BrowserContext, address: string, patience = 60_000): Promise<OpenedPage> {
  const seconds = { timeout: patience };
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const known = /status of 404|net::ERR_/.test(message.text());
    if (message.type() === "error" && !known) complaints.push(message.text());
  });
  const loaded = async (): Promise<void> => {
    const [tabs, alert] = [page.getByRole("tablist"), page.locator("[role=alert] .note").first()];
    await tabs.or(alert).first().waitFor(seconds);
    if (!(await tabs.isVisible())) throw new Error(`the model is not loaded: ${await alert.innerText()}`);
  };
  await page.goto(address);
  await page.locator("#need", { hasText: /\d/ }).waitFor(seconds);
  return {
    page,
    complaints,
    load: async (url) => {
      if (url !== undefined) await page.getByLabel("Address of the checkpoint").fill(url);
      await page.getByRole("button", { name: "Load", exact: true }).first().click();
      await loaded();
    },
    loaded,
    ask: async (text) => {
      await page.locator("#prompt").fill(text);
      await page.locator("#send").click();
      await page.locator("#stop").waitFor({ state: "hidden", ...seconds });
      await page.locator("#log[aria-busy=false]").waitFor(seconds);
    },
    set: async (fields) => {
      await page.locator("#settings").evaluate((details: HTMLDetailsElement) => {
        details.open = true;
      });
      for (const [label, value] of Object.entries(fields)) {
        const field = page.getByLabel(label, { exact: true });
        await field.fill("");
        // By keys: in Firefox, fields for numbers keep what they have where a text is put in as a whole.
        await field.pressSequentially(value);
        if ((await field.inputValue()) !== value) throw new Error(`${label} is not ${value}`);
      }
    },
    error: async () => {
      const note = page.locator("[role=alert] .note");
      await note.first().waitFor(seconds);
      return { code: (await note.first().getAttribute("data-code")) ?? "", text: await note.first().innerText() };
    },
    fact: async (name) => (await page.locator(`#facts-list dt:text-is("${name}") + dd`).textContent()) ?? "",
  };
}
