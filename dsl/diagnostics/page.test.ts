import { describe, expect, it } from "vitest";
import { exampleOf, parsePage, sectionOf } from "./page.ts";
import { renderPage } from "./render-page.ts";

const text = `# DS0110: file not found

An \`import\` names a file of the project or of the library, and there is none at this path; the words of this
paragraph are wrapped.

- one \`list item with code\` that goes on and on
- another

## Failing

\`\`\`json config
{ "vocab_size": 4 }
\`\`\`

\`\`\`ds
import gate from "./gate"
fn f(x: real) = gate(x)
\`\`\`

## Repaired

\`\`\`ds file=gate.ds
fn gate(x: real) = 2 * x
\`\`\`

\`\`\`ds
import gate from "./gate"
fn f(x: real) = gate(x)
\`\`\`
`;

describe("parsePage", () => {
  it("finds headline, sections and blocks", () => {
    const { page, problems } = parsePage(text);
    expect(problems).toEqual([]);
    expect(page).toMatchObject({ code: "DS0110", headline: "file not found", raisedBy: null });
    expect(page.sections.map(({ title, blocks }) => [title, blocks.length])).toEqual([
      ["Failing", 2],
      ["Repaired", 2],
    ]);
    expect(page.sections[0]?.blocks[1]).toEqual({
      language: "ds",
      info: [],
      text: 'import gate from "./gate"\nfn f(x: real) = gate(x)\n',
      line: 16,
    });
  });

  it("makes a project of a section", () => {
    const { page } = parsePage(text);
    const failing = sectionOf(page, "Failing");
    const repaired = sectionOf(page, "Repaired");
    if (failing === null || repaired === null) throw new Error("sections are missing");
    expect(exampleOf(failing)).toMatchObject({ ok: true, example: { config: '{ "vocab_size": 4 }\n', weights: null } });
    const result = exampleOf(repaired);
    expect(result.ok ? [...result.example.files.keys()] : result.problem).toEqual(["main.ds", "gate.ds"]);
  });

  it("names what is wrong with a page", () => {
    expect(parsePage("# something\n\n```ds\n").problems).toEqual([
      "line 1: expected `# DS####: headline`",
      "line 3: the block is not closed",
      "a paragraph is missing below the headline",
      "blocks belong into a section",
    ]);
    expect(exampleOf({ title: "Failing", prose: "", blocks: [] }).ok).toBe(false);
  });

  it("keeps who raises it", () => {
    const { page } = parsePage("# DS0526: device was lost\n\nRaised by: the runtime\n\nThe device is gone.\n");
    expect(page).toMatchObject({ raisedBy: "the runtime", intro: "The device is gone." });
  });
});

describe("renderPage", () => {
  it("wraps prose and indents code", () => {
    expect(`\n${renderPage(text, { colour: false, width: 48 })}`).toMatchInlineSnapshot(`
      "
      DS0110: file not found

      An \`import\` names a file of the project or of
      the library, and there is none at this path; the
      words of this paragraph are wrapped.

      - one \`list item with code\` that goes on and on
      - another

      Failing

        config.json:
          { "vocab_size": 4 }

          import gate from "./gate"
          fn f(x: real) = gate(x)

      Repaired

        gate.ds:
          fn gate(x: real) = 2 * x

          import gate from "./gate"
          fn f(x: real) = gate(x)
      "
    `);
  });

  it("paints headings and code when asked", () => {
    const page = "# DS0001: a\n\nWrite `:=` here.\n\n```ds\nfn f(x: real) = x\n```\n";
    expect(renderPage(page, { colour: true, width: 80 }).replaceAll("\u001b", "ESC")).toMatchInlineSnapshot(`
      "ESC[1mDS0001: aESC[0m

      Write ESC[32m:=ESC[0m here.

          fn f(x: real) = x
      "
    `);
  });
});
