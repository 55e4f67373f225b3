import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type CodeAction,
  type CompletionItem,
  type DocumentSymbol,
  type Hover,
  type InlayHint,
  type Location,
  LSPErrorCodes,
  ResponseError,
  type SemanticTokens,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { Editor } from "./editor.ts";

const norms = `/// mean(x^2), over the one axis of \`x\`.
fn mean_square(x: [D]) -> m: real {
  m := sum[d](x[d]^2) / D
}

/// A gain for each channel.
block gain(x: [D]) -> y: [D] {
  param floor_value : real = 0
  weight g : [D] at "weight"
  y[d] := max(g[d] * x[d], floor_value)
}
`;

const scores = `import mean_square, gain from "./norms"
import softmax from "std/softmax"

/// Scores of a token, as shares of one.
block scores(x: [T, D]) -> y: [T, E] {
  param E : dim
  param floor_value : real = 0
  weight w_score : [E, D] at "weight"
  part scale : gain(..) at "gain"
  u[t]   := scale(x[t])
  r[t]   := mean_square(u[t])
  a[t,e] := w_score[e,d] * u[t,d] * r[t]
  y[t]   := softmax(a[t])
}
`;

const files = { "norms.ds": norms, "layers/.keep": "", "scores.ds": scores };

let editor: Editor;
beforeAll(async () => {
  editor = await Editor.start({ files });
});
afterAll(() => editor.clean());

/** Each test opens what it needs and leaves nothing open. */
async function withOpen(texts: Readonly<Record<string, string>>, body: () => Promise<void>): Promise<void> {
  for (const [path, text] of Object.entries(texts)) await editor.open(path, text);
  try {
    await body();
  } finally {
    for (const path of Object.keys(texts)) await editor.close(path);
  }
}

const labels = (items: readonly CompletionItem[]): readonly string[] => items.map((item) => item.label);

const refusal = async (answer: Promise<unknown>): Promise<string> => {
  try {
    await answer;
  } catch (error) {
    if (error instanceof ResponseError) return error.message;
    throw error;
  }
  throw new Error("was not refused");
};

describe("diagnostics", () => {
  test("an edit brings an error and the next takes it away", () =>
    withOpen({ "scores.ds": scores }, async () => {
      expect(await editor.diagnostics("scores.ds")).toEqual([]);
      await editor.edit("scores.ds", "softmax(a[t])", "softmax(b[t])");
      const [first, ...others] = await editor.diagnostics("scores.ds");
      expect(others).toEqual([]);
      expect(first).toMatchObject({ code: "DS0101", severity: 1, source: "dsc" });
      const document = editor.document("scores.ds");
      expect(document.getText(first?.range)).toBe("b");
      await editor.edit("scores.ds", "softmax(b[t])", "softmax(a[t])");
      expect(await editor.diagnostics("scores.ds")).toEqual([]);
    }));

  test("only the last of many quick edits is checked", () =>
    withOpen({ "scores.ds": scores }, async () => {
      await editor.diagnostics("scores.ds");
      const seen = editor.published.length;
      for (let i = 0; i < 20; i += 1) await editor.edit("scores.ds", "w_score", `w_score${i}_`);
      await editor.diagnostics("scores.ds");
      const versions = editor.published.slice(seen).filter((one) => one.uri === editor.uri("scores.ds"));
      const checked = versions.flatMap((one) => one.version ?? []); // a file closed before has none
      expect(checked).toEqual([editor.document("scores.ds").version]);
    }));

  test("a file that is not open shows its errors while an open one imports it", async () => {
    editor.writeToDisk("broken.ds", `fn broken(x: [D]) -> m: real {\n  m := nothing\n}\n`);
    await editor.open("uses.ds", `import broken from "./broken"\n\nfn use(x: [D]) = broken(x)\n`);
    const found = await editor.until(() => {
      const list = editor.last("broken.ds");
      return list.length > 0 ? list : undefined;
    }, "error in broken.ds");
    expect(found.map((one) => one.code)).toEqual(["DS0101"]);
    await editor.close("uses.ds");
    await editor.until(() => (editor.last("broken.ds").length === 0 ? true : undefined), "end of the errors");
  });

  test("an edit of an imported file is checked against those that import it", () =>
    withOpen({ "norms.ds": norms, "scores.ds": scores }, async () => {
      expect(await editor.diagnostics("scores.ds")).toEqual([]);
      await editor.edit("norms.ds", "fn mean_square", "fn mean_squares");
      const found = await editor.until(() => {
        const list = editor.last("scores.ds");
        return list.length > 0 ? list : undefined;
      }, "error in scores.ds");
      expect(found[0]?.code).toBe("DS0104");
      await editor.edit("norms.ds", "fn mean_squares", "fn mean_square");
      await editor.until(() => (editor.last("scores.ds").length === 0 ? true : undefined), "end of the error");
    }));

  test("secondary labels point to the other place", () =>
    withOpen({ "twice.ds": "fn f(x: real) = x\nfn f(x: real) = 2 * x\n" }, async () => {
      const found = await editor.diagnostics("twice.ds");
      const twice = found.find((one) => one.code === "DS0102");
      expect(twice?.range.start.line).toBe(1);
      expect(twice?.relatedInformation?.[0]?.location).toMatchObject({
        uri: editor.uri("twice.ds"),
        range: { start: { line: 0, character: 3 } },
      });
    }));

  test("a model is checked with the config beside it", async () => {
    editor.writeToDisk("tiny.config.json", `{ "vocab": "many" }`);
    const tiny = `model tiny {\n  config { V : dim = $.vocab }\n  runtime T : dim in 1..8\n  weight embed : [V, 4] at "embed"\n  entry forward(ids: [T] in V) -> y: [T, 4] {\n    y[t] := embed[ids[t]]\n  }\n}\n`;
    await withOpen({ "tiny.ds": tiny }, async () => {
      expect((await editor.diagnostics("tiny.ds")).length + editor.last("tiny.config.json").length).toBe(1);
      editor.writeToDisk("tiny.config.json", `{ "vocab": 100 }`);
      const changes = [{ uri: editor.uri("tiny.config.json"), type: 2 }];
      await editor.connection.sendNotification("workspace/didChangeWatchedFiles", { changes });
      await editor.until(
        () => (editor.last("tiny.ds").length + editor.last("tiny.config.json").length === 0 ? true : undefined),
        "end of the error",
      );
    });
  });
});

describe("reading", () => {
  test("hover shows what is inferred and the documentation", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const hover = await editor.request<Hover>("textDocument/hover", editor.at("scores.ds", "mean_square(u", 4));
      expect(JSON.stringify(hover.contents)).toContain("mean(x^2), over the one axis");
      expect(editor.document("scores.ds").getText(hover.range)).toBe("mean_square");
      const a = await editor.request<Hover>("textDocument/hover", editor.at("scores.ds", "a[t,e] :=", 0));
      expect(JSON.stringify(a.contents)).toContain("[T, E]");
    }));

  test("hover of nothing is nothing", () =>
    withOpen({ "scores.ds": scores }, async () => {
      expect(await editor.request("textDocument/hover", editor.at("scores.ds", "\n\n", 1))).toBeNull();
    }));

  test("definition goes to another file, to the library, and to the top of an imported file", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const other = await editor.request<Location>(
        "textDocument/definition",
        editor.at("scores.ds", "mean_square(u", 1),
      );
      expect(other.uri).toBe(editor.uri("norms.ds"));
      expect(TextDocument.create("", "", 0, norms).getText(other.range)).toBe("mean_square");
      const library = await editor.request<Location>("textDocument/definition", editor.at("scores.ds", "softmax(a", 1));
      expect(library.uri).toMatch(/\/dsl\/stdlib\/softmax\.ds$/);
      const text = readFileSync(new URL(library.uri), "utf8");
      expect(TextDocument.create("", "", 0, text).getText(library.range)).toBe("softmax");
      const file = await editor.request<Location>("textDocument/definition", editor.at("scores.ds", "./norms", 2));
      expect(file).toMatchObject({ uri: editor.uri("norms.ds"), range: { start: { line: 0, character: 0 } } });
    }));

  test("references of a function are found in files that are not open", () =>
    withOpen({ "norms.ds": norms }, async () => {
      const params = { ...editor.at("norms.ds", "mean_square", 2), context: { includeDeclaration: true } };
      const found = await editor.request<Location[]>("textDocument/references", params);
      expect(found.map((one) => one.uri)).toEqual([
        editor.uri("norms.ds"),
        editor.uri("scores.ds"),
        editor.uri("scores.ds"),
      ]);
      const others = { ...params, context: { includeDeclaration: false } };
      expect(await editor.request<Location[]>("textDocument/references", others)).toHaveLength(2);
    }));

  test("an index is marked in its own equation only", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const found = await editor.request<Location[]>(
        "textDocument/documentHighlight",
        editor.at("scores.ds", "a[t,e]", 2),
      );
      const line = editor.at("scores.ds", "a[t,e]").position.line;
      expect(found.length).toBeGreaterThanOrEqual(3);
      expect(new Set(found.map((one) => one.range.start.line))).toEqual(new Set([line]));
    }));

  test("outline nests what a declaration holds", () =>
    withOpen({ "norms.ds": norms }, async () => {
      const params = { textDocument: { uri: editor.uri("norms.ds") } };
      const found = await editor.request<DocumentSymbol[]>("textDocument/documentSymbol", params);
      expect(found.map((one) => one.name)).toEqual(["mean_square", "gain"]);
      expect(found[1]?.children?.map((one) => one.name)).toEqual(["floor_value", "g", "y"]);
    }));

  test("inlay hints write an inferred sum out", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const document = editor.document("scores.ds");
      const range = { start: { line: 0, character: 0 }, end: document.positionAt(scores.length) };
      const params = { textDocument: { uri: document.uri }, range };
      const found = await editor.request<InlayHint[]>("textDocument/inlayHint", params);
      const line = editor.at("scores.ds", "a[t,e]").position.line;
      expect(
        found
          .filter((one) => one.position.line === line)
          .map((one) => one.label)
          .join(" "),
      ).toMatch(/sum\[d\]\( .*\)/);
    }));

  test("semantic tokens colour a weight as one", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const params = { textDocument: { uri: editor.uri("scores.ds") } };
      const { data } = await editor.request<SemanticTokens>("textDocument/semanticTokens/full", params);
      const tokens = decode(data, editor.text("scores.ds"));
      const types = editor.answer.capabilities.semanticTokensProvider?.legend.tokenTypes ?? [];
      expect(tokens.filter((one) => one.text === "w_score").map((one) => types[one.type])).toEqual([
        "property",
        "property",
      ]);
      expect(tokens.every((one) => /^\w+$/.test(one.text))).toBe(true);
    }));
});

function decode(data: readonly number[], text: string): readonly { readonly text: string; readonly type: number }[] {
  const lines = text.split("\n");
  const tokens = [];
  let line = 0;
  let start = 0;
  for (let i = 0; i + 4 < data.length; i += 5) {
    const [down = 0, right = 0, length = 0, type = 0] = data.slice(i, i + 4);
    line += down;
    start = down > 0 ? right : start + right;
    tokens.push({ text: (lines[line] ?? "").slice(start, start + length), type });
  }
  return tokens;
}

describe("rename", () => {
  test("across two files, one open and one on disk, leaves no error", async () => {
    await editor.open("norms.ds", norms);
    const params = { ...editor.at("norms.ds", "mean_square", 2), newName: "square_mean" };
    const edit = await editor.request<WorkspaceEdit>("textDocument/rename", params);
    expect(Object.values(edit.changes ?? {}).map((list) => list.length)).toEqual([1, 2]);
    await editor.apply(edit, (path) => readFileSync(join(editor.folder, path), "utf8"));
    const renamed = readFileSync(join(editor.folder, "scores.ds"), "utf8");
    expect(renamed).toContain("square_mean(u[t])");
    expect(renamed).not.toContain("mean_square");
    await editor.open("scores.ds", renamed);
    expect(await editor.diagnostics("scores.ds")).toEqual([]);
    expect(await editor.diagnostics("norms.ds")).toEqual([]);
    await editor.close("norms.ds");
    await editor.close("scores.ds");
    editor.writeToDisk("scores.ds", scores);
  });

  test("writes out an argument that `..` took by name", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const params = { ...editor.at("scores.ds", "floor_value", 1), newName: "least" };
      const edit = await editor.request<WorkspaceEdit>("textDocument/rename", params);
      await editor.apply(edit, () => "");
      expect(editor.text("scores.ds")).toContain("param least : real = 0");
      expect(editor.text("scores.ds")).toContain("gain(floor_value: least, ..)");
      expect(await editor.diagnostics("scores.ds")).toEqual([]);
    }));

  test("of a parameter keeps the calls in other files that fill it", async () => {
    await editor.open("norms.ds", norms);
    await editor.open("scores.ds", scores);
    const params = { ...editor.at("norms.ds", "floor_value", 1), newName: "least" };
    const edit = await editor.request<WorkspaceEdit>("textDocument/rename", params);
    await editor.apply(edit, () => "");
    expect(editor.text("norms.ds")).toContain("max(g[d] * x[d], least)");
    expect(editor.text("scores.ds")).toContain("gain(least: floor_value, ..)");
    expect(await editor.diagnostics("scores.ds")).toEqual([]);
    await editor.close("norms.ds");
    await editor.close("scores.ds");
  });

  test("of a name that both branches of an `if` define changes both", () => {
    const text = "fn f(x: [D], twice: bool) -> y: [D] {\n  if twice { s := 2 } else { s := 1 }\n  y := s * x\n}\n";
    return withOpen({ "branches.ds": text }, async () => {
      const params = { ...editor.at("branches.ds", "s * x"), newName: "factor" };
      const edit = await editor.request<WorkspaceEdit>("textDocument/rename", params);
      await editor.apply(edit, () => "");
      expect(editor.text("branches.ds")).toBe(text.replaceAll(/\bs\b/g, "factor"));
    });
  });

  test("finds a `..` that takes an inherited name in a file that never spells it", async () => {
    const layer = "block layer(x: [D]) -> y: [D] {\n  param width : dim\n  y[d] := x[d] * width\n}\n";
    const entry = "  entry forward(x: [T, D]) -> y: [T, D] {\n    y[t] := unit(x[t])\n  }\n";
    const parent = `import layer from "./layer"\n\nmodel parent {\n  config { D, width : dim = $.size }\n  runtime T : dim in 1..8\n  block kind = layer(..)\n  part unit : kind\n${entry}}\n`;
    const child = `import layer from "./layer"\nimport parent from "./parent"\n\nmodel child extends parent {\n  override block kind = layer(..)\n}\n`;
    editor.writeToDisk("layer.ds", layer);
    await withOpen({ "parent.ds": parent, "child.ds": child }, async () => {
      expect(await editor.diagnostics("child.ds")).toEqual([]);
      const params = { ...editor.at("parent.ds", "width"), newName: "wide" };
      const edit = await editor.request<WorkspaceEdit>("textDocument/rename", params);
      await editor.apply(edit, () => "");
      expect(editor.text("child.ds")).toContain("layer(width: wide, ..)");
      expect(await editor.diagnostics("child.ds")).toEqual([]);
      expect(await editor.diagnostics("parent.ds")).toEqual([]);
    });
  });

  test("prepare gives the name and its range", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const params = editor.at("scores.ds", "w_score[e", 7);
      const answer = await editor.request<{ placeholder: string }>("textDocument/prepareRename", params);
      expect(answer.placeholder).toBe("w_score");
    }));

  test.each([
    ["a keyword", "param E", 2, "F", /`param` is a word of the language/],
    ["what is built in", "softmax(a", 2, "soft", /belongs to the library/],
    ["to a keyword", "w_score", 2, "weight", /`weight` is a word of the language/],
    ["to what is no name", "w_score", 2, "2w", /is not a name/],
    ["to a visible name", "w_score", 2, "scale", /`scale` is taken/],
    ["to an imported name", "w_score", 2, "mean_square", /`mean_square` is taken/],
    ["to an index in use", "r[t]", 0, "e", /`e` is taken/],
    ["a dim to lower case", "E : dim", 0, "experts", /is a dim/],
    ["an index to upper case", "a[t,e]", 4, "J", /is an index/],
  ])("refuses %s", (_what, needle, by, newName, message) =>
    withOpen({ "scores.ds": scores }, async () => {
      expect(
        await refusal(editor.request("textDocument/rename", { ...editor.at("scores.ds", needle, by), newName })),
      ).toMatch(message);
    }),
  );
});

describe("writing", () => {
  test("format is minimal and reaches a fixed point", () =>
    withOpen({ "norms.ds": norms.replace("m := sum", "m    :=   sum") }, async () => {
      const params = { textDocument: { uri: editor.uri("norms.ds") }, options: { tabSize: 2, insertSpaces: true } };
      const edits = await editor.request<TextEdit[]>("textDocument/formatting", params);
      const line = editor.at("norms.ds", "m    :=").position.line;
      expect(edits.length).toBeGreaterThan(0);
      expect(edits.every((one) => one.range.start.line === line && one.range.end.line === line)).toBe(true);
      await editor.apply({ changes: { [editor.uri("norms.ds")]: edits } }, () => "");
      expect(editor.text("norms.ds")).toContain("  m := sum");
      expect(await editor.request("textDocument/formatting", params)).toEqual([]);
    }));

  test("format leaves a text with syntax errors alone", () =>
    withOpen({ "norms.ds": `${norms}\nfn half(x: \n` }, async () => {
      const params = { textDocument: { uri: editor.uri("norms.ds") }, options: { tabSize: 2, insertSpaces: true } };
      expect(await editor.request("textDocument/formatting", params)).toEqual([]);
    }));

  test("completion offers names in scope, imports among them, and not those of elsewhere", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const items = await editor.request<CompletionItem[]>(
        "textDocument/completion",
        editor.at("scores.ds", "softmax(a", 8),
      );
      expect(labels(items)).toEqual(
        expect.arrayContaining(["w_score", "u", "r", "softmax", "mean_square", "E", "exp"]),
      );
      expect(labels(items)).not.toContain("m");
    }));

  test("completion works in a half-typed line", () =>
    withOpen({ "scores.ds": scores }, async () => {
      await editor.diagnostics("scores.ds");
      await editor.request("textDocument/hover", editor.at("scores.ds", "softmax(a", 8));
      await editor.edit("scores.ds", "softmax(a[t])", "softmax(a[t] * w_");
      const items = await editor.request<CompletionItem[]>(
        "textDocument/completion",
        editor.at("scores.ds", "* w_", 4),
      );
      expect(labels(items)).toEqual(expect.arrayContaining(["w_score", "u"]));
    }));

  test("completion offers what the imported file declares", () =>
    withOpen(
      { "imports.ds": `import  from "./norms"\nimport  from "std/softmax"\nimport softmax from "std/"\n` },
      async () => {
        const at = (needle: string, by: number) =>
          editor.request<CompletionItem[]>("textDocument/completion", editor.at("imports.ds", needle, by));
        expect(labels(await at(`import  from "./n`, 7))).toEqual(["mean_square", "gain"]);
        expect(labels(await at(`import  from "std`, 7))).toContain("softmax_sink");
        const modules = labels(await at(`"std/"`, 5));
        expect(modules).toEqual(expect.arrayContaining(["std/norm", "./norms", "./scores"]));
      },
    ));

  test("completion inside a call offers its parameters that are not given yet", () =>
    withOpen({ "scores.ds": scores }, async () => {
      await editor.edit("scores.ds", "gain(..)", "gain()");
      const block = await editor.request<CompletionItem[]>(
        "textDocument/completion",
        editor.at("scores.ds", "gain()", 5),
      );
      expect(labels(block)).toEqual(expect.arrayContaining(["floor_value:", ".."]));
      await editor.edit("scores.ds", "gain()", "gain(floor_value: 1, )");
      const rest = await editor.request<CompletionItem[]>("textDocument/completion", editor.at("scores.ds", "1, )", 3));
      expect(labels(rest)).not.toContain("floor_value:");
      const part = await editor.request<CompletionItem[]>(
        "textDocument/completion",
        editor.at("scores.ds", "scale(x", 6),
      );
      expect(labels(part)).toContain("x:");
    }));

  test("completion offers keywords where they fit", () =>
    withOpen({ "model.ds": "\nmodel m {\n  \n  config {\n    \n  }\n}\n" }, async () => {
      const at = (needle: string, by: number) =>
        editor.request<CompletionItem[]>("textDocument/completion", editor.at("model.ds", needle, by));
      expect(labels(await at("\nmodel", 0))).toEqual(["import", "fn", "block", "model", "law", "schedule"]);
      expect(labels(await at("{\n  \n", 4))).toEqual(expect.arrayContaining(["config", "entry", "weight"]));
      expect(labels(await at("{\n    \n", 6))).toContain("require");
      expect(labels(await at("{\n    \n", 6))).not.toContain("weight");
    }));

  test("a repair can be applied", () =>
    withOpen({ "scores.ds": scores }, async () => {
      await editor.edit("scores.ds", "* u[t,d]", "* w_scor[t,d]");
      const [found] = await editor.diagnostics("scores.ds");
      const range = found?.range;
      const params = { textDocument: { uri: editor.uri("scores.ds") }, range, context: { diagnostics: [] } };
      const [action] = await editor.request<CodeAction[]>("textDocument/codeAction", params);
      expect(action?.kind).toBe("quickfix");
      expect(action?.diagnostics?.[0]?.range).toEqual(range);
      await editor.apply(action?.edit ?? {}, () => "");
      expect(editor.text("scores.ds")).toContain("* w_score[t,d]");
    }));
});

describe("addresses", () => {
  test("a file outside of any workspace folder is a project with its folder", async () => {
    const alone = await Editor.start({ files, withFolder: false });
    try {
      await alone.open("scores.ds", scores);
      expect(await alone.diagnostics("scores.ds")).toEqual([]);
      const found = await alone.request<Location>("textDocument/definition", alone.at("scores.ds", "mean_square(u", 1));
      expect(found.uri).toBe(alone.uri("norms.ds"));
    } finally {
      alone.clean();
    }
  });

  test("a text that was never saved is checked by itself", async () => {
    const uri = "untitled:Untitled-1";
    const textDocument = { uri, languageId: "dsc", version: 1, text: "fn f(x: real) = y\n" };
    await editor.connection.sendNotification("textDocument/didOpen", { textDocument });
    const found = await editor.until(
      () => editor.published.findLast((one) => one.uri === uri),
      "diagnostics of the text",
    );
    expect(found.diagnostics.map((one) => one.code)).toContain("DS0101");
    await editor.connection.sendNotification("textDocument/didClose", { textDocument: { uri } });
  });
});

describe("trouble", () => {
  test("a cancelled request is answered as such and the next one normally", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const params = { ...editor.at("scores.ds", "mean_square(u", 1), context: { includeDeclaration: true } };
      // in one write, so that the server finds the cancellation while the request waits or runs
      const answer = await editor.raw("cancelled-1", [
        { id: "cancelled-1", method: "textDocument/references", params },
        { method: "$/cancelRequest", params: { id: "cancelled-1" } },
      ]);
      expect(answer).toMatchObject({ error: { code: LSPErrorCodes.RequestCancelled } });
      expect(await editor.request("textDocument/hover", params)).not.toBeNull();
    }));

  test("requests that make no sense do not end the server", () =>
    withOpen({ "scores.ds": scores }, async () => {
      const nonsense: readonly [string, unknown][] = [
        ["textDocument/hover", null],
        ["textDocument/hover", { textDocument: { uri: 7 }, position: "here" }],
        ["textDocument/hover", { textDocument: { uri: "file:///%E0%A4%A" }, position: { line: -1, character: 1e9 } }],
        ["textDocument/rename", { ...editor.at("scores.ds", "w_score") }],
        ["textDocument/completion", { textDocument: { uri: "x" } }],
        ["textDocument/unheardOf", {}],
      ];
      for (const [method, params] of nonsense) await editor.request(method, params).catch(() => undefined);
      await editor.connection.sendNotification("textDocument/didChange", { textDocument: { uri: "file:///never" } });
      await editor.connection.sendNotification("textDocument/didOpen", {});
      expect(await editor.request("textDocument/hover", editor.at("scores.ds", "mean_square(u", 1))).not.toBeNull();
    }));

  test("bytes that are no message do not end the server", () =>
    withOpen({ "scores.ds": scores }, async () => {
      editor.process.stdin.write("Content-Length: 10\r\n\r\n{ not json");
      editor.process.stdin.write("Content-Length: 4\r\n\r\nnull");
      editor.process.stdin.write("no header at all\r\n\r\n{}");
      editor.process.stdin.write("Content-Length: 5\r\n\r\n{ longer than announced }");
      expect(await editor.request("textDocument/hover", editor.at("scores.ds", "mean_square(u", 1))).not.toBeNull();
    }));

  test("shutdown and exit end it with 0, exit alone with 1", async () => {
    const orderly = await Editor.start({ files: {} });
    expect(await orderly.stop()).toBe(0);
    const abrupt = await Editor.start({ files: {} });
    const ended = abrupt.ended();
    await abrupt.connection.sendNotification("exit");
    expect(await ended).toBe(1);
    abrupt.clean();
  });
});

test("each of many edits of a long text is answered as the text then stands", async () => {
  const rows = Array.from(
    { length: 85 },
    (_, i) => `  b${i + 1}[t,e] := b${i}[t,e] * r[t] + w_score[e,d] * u[t,d]`,
  ).join("\n");
  const long = scores.replace("  y[t]   := softmax(a[t])", `  b0[t,e] := a[t,e]\n${rows}\n  y[t]   := softmax(b85[t])`);
  await withOpen({ "scores.ds": long }, async () => {
    expect(await editor.diagnostics("scores.ds")).toEqual([]);
    for (let i = 0; i < 15; i += 1) {
      await editor.edit("scores.ds", "  b0[t,e] := ", "\n  b0[t,e] := 1 * "); // what follows moves a line down
      const hover = await editor.request<Hover>("textDocument/hover", editor.at("scores.ds", "softmax(b", 1));
      expect(JSON.stringify(hover.contents)).toContain("softmax");
    }
  });
});
