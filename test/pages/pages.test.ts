import { describe, expect, it } from "vitest";
import { codes } from "../../dsl/diagnostics/codes.ts";
import { exampleOf } from "../../dsl/diagnostics/page.ts";
import { renderPage } from "../../dsl/diagnostics/render-page.ts";
import { allCodes, pageFiles, readPage, readPageText } from "./read-pages.ts";

it("there is a page for every code, and no other", () => {
  expect(pageFiles()).toEqual(allCodes.map((code) => `${code}.md`).sort());
});

describe.each(allCodes)("page %s", (code) => {
  it("has the headline of the code, and a good form", () => {
    const { page, problems } = readPage(code);
    expect(problems).toEqual([]);
    expect(`${page.code}: ${page.headline}`).toBe(`${code}: ${codes[code]}`);
    const titles = page.sections.map(({ title }) => title).filter((title) => title !== "See also");
    expect(titles).toEqual(page.raisedBy === null ? ["Failing", "Repaired"] : ["Cause", "Repair"]);
  });

  it("has examples that can be read", () => {
    const { page } = readPage(code);
    for (const section of page.sections) {
      const isExample = section.title === "Failing" || section.title === "Repaired";
      if (isExample) expect(exampleOf(section)).toMatchObject({ ok: true });
      else expect(section.blocks).toEqual([]);
      for (const { language, info, text } of section.blocks) {
        // The config of DS0128 is broken on purpose.
        if (language === "json" && !(code === "DS0128" && info[0] === "config"))
          expect(() => JSON.parse(text)).not.toThrow();
      }
    }
  });

  it("refers to pages that exist", () => {
    const text = readPageText(code);
    const known = new Set<string>(allCodes);
    expect((text.match(/\bDS\d{4}\b/g) ?? []).filter((name) => !known.has(name))).toEqual([]);
  });

  it("can be shown on a terminal", () => {
    const shown = renderPage(readPageText(code), { colour: false, width: 80 });
    expect(shown).not.toContain("```");
    expect(shown.startsWith(`${code}: ${codes[code]}\n`)).toBe(true);
  });
});
