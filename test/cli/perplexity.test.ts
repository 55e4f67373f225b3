/** `dsc perplexity`: what is counted, on models whose losses are known otherwise. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { root } from "../conformance/bind-text.ts";
import { loadCase } from "../oracle/cases.ts";
import { chainText, idOfLetter, writeChain } from "./chain-model.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const llm = join(root, "models/deepseek-llm.ds");

/** The model that says the alphabet: of its 288 logits that of the letter that follows is 1, the others are 0; all are behind BOS. */
const [any, next, other] = [Math.log(288), Math.log(287 + Math.E) - 1, Math.log(287 + Math.E)];

async function chained(files: Readonly<Record<string, string | Buffer>> = {}): Promise<string> {
  const cwd = project(files);
  await writeChain(cwd);
  return cwd;
}

const perplexity = ["perplexity", "chain.ds", "--weights", "model"];

interface Found {
  readonly natsPerToken: number;
  readonly predictions: number;
  readonly nats: number;
  readonly documents: readonly {
    readonly document: number;
    readonly tokens: number;
    readonly windows: number;
    readonly predictions: number;
    readonly nats: number;
    readonly bytes: number | null;
  }[];
}

async function found(args: readonly string[], cwd: string): Promise<Found> {
  const ran = await runInside([...args, "--json"], cwd);
  expect(ran).toMatchObject({ code: 0, error: "" });
  return JSON.parse(ran.out);
}

test("a text is one document, told in nats, bits and perplexity", async () => {
  const cwd = await chained({ "text.txt": "bcdx" });
  const ran = await runInside([...perplexity, "--text", "text.txt"], cwd);
  const mean = (any + next + next + other) / 4;
  expect(ran.code).toBe(0);
  expect(ran.out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["nats per token", mean.toFixed(4)],
    ["perplexity", Math.exp(mean).toFixed(4)],
    ["bits per byte", (mean / Math.log(2)).toFixed(4)],
    ["predictions", "4 of 4 tokens, in 1 window of 1 document"],
    ["bytes", "4"],
    [""],
  ]);
  expect(ran.error).toMatch(/^\d+\.\d\d s, \d+ predictions a second\n$/);
});

test("documents, windows and choices of them, as JSON", async () => {
  const text = "abc\n<|end|>\r\n\nmnopqr\n<|end|>\n<|end|>yéz\n";
  const cwd = await chained({ "text.txt": text });
  const args = [...perplexity, "--text", "text.txt", "--separator", "<|end|>"];
  const whole = await runInside([...args, "--json"], cwd);
  expect(whole).toMatchObject({ code: 0, error: "" });
  const { seconds, ...fields } = JSON.parse(whole.out);
  expect(seconds).toBeGreaterThan(0);
  const documents = [
    // `ab` is one token, behind which nothing follows.
    { document: 0, tokens: 2, windows: 1, predictions: 2, nats: 2 * any, bytes: 3 },
    { document: 1, tokens: 6, windows: 1, predictions: 6, nats: any + 5 * next, bytes: 6 },
    // Nothing follows the bytes of é: the row behind each is all 0. y is told by BOS as any other.
    { document: 2, tokens: 4, windows: 1, predictions: 4, nats: any + other + any + any, bytes: 4 },
  ];
  const nats = documents.reduce((sum, d) => sum + d.nats, 0);
  const mean = nats / 12;
  const squares = documents.reduce((sum, d) => sum + (d.nats - mean * d.predictions) ** 2, 0);
  const close = (value: number) => expect.closeTo(value, 9);
  expect(fields).toEqual({
    ...{ windows: 3, predictions: 12, nats: close(nats), bytes: 13 },
    ...{ natsPerToken: close(mean), standardError: close(Math.sqrt(1.5 * squares) / 12) },
    ...{ perplexity: close(Math.exp(mean)), bitsPerByte: close(nats / Math.LN2 / 13) },
    // The model remembers nothing: a window may have any length.
    ...{ context: "Infinity", stride: "Infinity", cut: false, interrupted: false },
    documents: documents.map((d) => ({ ...d, nats: close(d.nats), natsPerToken: close(d.nats / d.predictions) })),
  });

  const lengths = async (...more: readonly string[]) =>
    (await found([...args, ...more], cwd)).documents.map((d) => [d.document, d.windows, d.predictions]);
  expect(await lengths("--first", "2")).toEqual([
    [0, 1, 2],
    [1, 1, 6],
  ]);
  expect(await lengths("--last", "1")).toEqual([[2, 1, 4]]);
  expect(await lengths("--last", "9")).toHaveLength(3);
  // BOS and two ids: n, p and r of the second document stand behind what precedes them, the others behind BOS.
  const short = await found([...args, "--context", "3"], cwd);
  expect(short.documents.map((d) => [d.windows, d.predictions])).toEqual([
    [1, 2],
    [3, 6],
    [2, 4],
  ]);
  expect(short.documents[1]?.nats).toBeCloseTo(3 * (any + next), 9);
  const overlapping = await found([...args, "--context", "3", "--stride", "1"], cwd);
  expect(overlapping.documents.map((d) => [d.windows, d.predictions])).toEqual([
    [1, 2],
    [5, 6],
    [3, 4],
  ]);
  expect(overlapping.documents[1]?.nats).toBeCloseTo(any + 5 * next, 9);
  const cut = await found([...args, "--context", "3", "--cut"], cwd);
  expect(cut.documents.map((d) => [d.tokens, d.windows, d.predictions, d.bytes])).toEqual([
    [2, 1, 2, 3],
    [6, 1, 2, 2],
    // y and the first byte of é, which is no whole character: U+FFFD.
    [4, 1, 2, 4],
  ]);
});

test("without a separator line breaks are text; standard input is a file", async () => {
  const cwd = await chained({ "text.txt": "\nbc\n" });
  const file = await found([...perplexity, "--text", "text.txt"], cwd);
  expect(file).toMatchObject({ predictions: 4, bytes: 4 });
  expect(file.nats).toBeCloseTo(any + any + next + other, 9);
  // Standard input takes a process.
  const ran = await dsc([...perplexity, "--text", "-", "--json"], { cwd, input: "\nbc\n" });
  expect(ran).toMatchObject({ code: 0, error: "" });
  expect(JSON.parse(ran.out).nats).toBe(file.nats);
});

test("ids stand as they are; where they begin with BOS later windows do", async () => {
  const letters = [..."abcd"].map(idOfLetter);
  const cwd = await chained({
    "plain.json": JSON.stringify(letters),
    "bos.json": JSON.stringify({ tokens: [258, ...letters] }),
  });
  const plain = await found([...perplexity, "--tokens", "plain.json"], cwd);
  expect(plain).toMatchObject({ predictions: 3, bytes: 3, documents: [{ tokens: 4 }] });
  expect(plain.nats).toBeCloseTo(3 * next, 9);
  // Neighbours overlap by one, so that none is lost.
  expect(await found([...perplexity, "--tokens", "plain.json", "--context", "2"], cwd)).toMatchObject({
    ...{ predictions: 3, windows: 3, nats: plain.nats },
  });
  const bos = await found([...perplexity, "--tokens", "bos.json", "--context", "3"], cwd);
  expect(bos).toMatchObject({ predictions: 4, windows: 2, documents: [{ tokens: 4 }] });
  expect(bos.nats).toBeCloseTo(2 * (any + next), 9);
});

test("a model with attention loses what its recorded logits say, in windows too", async () => {
  const oracle = loadCase("llama-gqa");
  const ids = [...oracle.ids, ...oracle.steps];
  const cwd = project({ "ids.json": JSON.stringify(ids) });
  await writeCheckpoint(join(cwd, "model"), oracle);
  const base = ["perplexity", llm, "--weights", "model", "--tokens", "ids.json"];
  const lossOf = (row: readonly number[], id: number): number => {
    const weights = row.map((x) => Math.exp(x));
    return -Math.log((weights[id] ?? 0) / weights.reduce((a, b) => a + b, 0));
  };
  const nats = ids.slice(1).reduce((sum, id, t) => sum + lossOf(oracle.logits[t] ?? [], id), 0);
  const whole = await found(base, cwd);
  expect(whole).toMatchObject({ predictions: ids.length - 1, windows: 1, bytes: null, bitsPerByte: null, context: 48 });
  expect(whole.nats).toBeCloseTo(nats, 6);
  expect((await found([...base, "--chunk", "3"], cwd)).nats).toBe(whole.nats);

  // Windows of six that move by four, each as `dsc logits` has it.
  let expected = 0;
  for (let at = 0; at === 0 || at + 2 < ids.length; at += 4) {
    const window = ids.slice(at, at + 6);
    writeFileSync(join(cwd, "window.json"), JSON.stringify(window));
    const args = ["logits", llm, "--weights", "model", "--tokens", "window.json", "--out", "window.logits.json"];
    expect(await runInside(args, cwd)).toMatchObject({ code: 0, error: "" });
    const { logits }: { readonly logits: readonly (readonly number[])[] } = JSON.parse(
      readFileSync(join(cwd, "window.logits.json"), "utf8"),
    );
    const from = at === 0 ? 1 : 2;
    for (let i = from; i < window.length; i += 1) expected += lossOf(logits[i - 1] ?? [], window[i] ?? 0);
  }
  const windows = await found([...base, "--context", "6", "--stride", "4"], cwd);
  expect(windows.predictions).toBe(ids.length - 1);
  expect(windows.nats).toBeCloseTo(expected, 9);
  expect(Math.abs(windows.nats - whole.nats)).toBeGreaterThan(0.01);
});

test("a package loses the same; one that scores nothing says what it lacks", async () => {
  const silent = chainText
    .replace("-> (logits: [T, V], next: [V])", "-> (next: [V])")
    .replace("logits[t,v] := table[ids[t],v]\n", "")
    .replace(":= logits[T - 1]", "[v] := table[ids[T - 1],v]");
  const cwd = await chained({ "text.txt": "bcd\nxyz\n", "silent.ds": silent });
  vi.stubEnv("DSC_CACHE", join(cwd, "cache"));
  try {
    const args = [...perplexity, "--text", "text.txt", "--separator", "\n"];
    const reference = await found(args, cwd);
    const compiled = await found([...args, "--backend", "wasm", "--threads", "1", "--chunk", "2"], cwd);
    expect(compiled).toMatchObject({ predictions: 6, windows: 2, bytes: 6 });
    expect(compiled.nats).toBeCloseTo(reference.nats, 5);
    expect(reference.nats).toBeCloseTo(2 * (any + 2 * next), 9);

    const none = ["perplexity", "silent.ds", "--weights", "model", "--text", "text.txt"];
    const inPackage = await runInside([...none, "--backend", "wasm", "--threads", "1"], cwd);
    expect(inPackage).toMatchObject({ code: 1, out: "" });
    expect(inPackage.error).toContain("the package has no phase that gives the logits of all tokens of a call");
    expect(inPackage.error).toContain("logits: [T, V]");
    const inReference = await runInside(none, cwd);
    expect(inReference).toMatchObject({ code: 1, out: "" });
    expect(inReference.error).toContain("the entry forward has no result logits");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("Ctrl-C ends it, and tells what was counted", async () => {
  const cwd = await chained({ "text.txt": "bcd--defg--hij" });
  const before = process.listeners("SIGINT");
  const interruptAt = (wanted: string) => (doing: string) => {
    if (doing !== wanted) return;
    for (const listener of process.listeners("SIGINT")) if (!before.includes(listener)) listener("SIGINT");
  };
  const args = [...perplexity, "--text", "text.txt", "--separator=--", "--chunk", "2"];
  const json = await runInside([...args, "--json"], cwd, [], interruptAt("document 2 of 3: 2 of 4 tokens"));
  expect(json).toMatchObject({ code: 130, error: "" });
  const { nats, ...rest } = JSON.parse(json.out);
  expect(rest).toMatchObject({
    ...{ interrupted: true, predictions: 5 },
    documents: [
      { document: 0, tokens: 3, predictions: 3 },
      { document: 1, tokens: 4, predictions: 2 },
    ],
  });
  expect(nats).toBeCloseTo(2 * any + 3 * next, 9);
  const text = await runInside(args, cwd, [], interruptAt("document 1 of 3: 3 of 3 tokens"));
  expect(text.code).toBe(130);
  expect(text.out).toContain("3 of 3 tokens, in 1 window of 1 document");
  expect(text.error).toMatch(/; interrupted\n$/);
  expect(process.listeners("SIGINT")).toEqual(before);
});

test("what is wrong is said in one line, and never as a bug", async () => {
  const cwd = await chained({
    "text.txt": "abc",
    "empty.txt": "",
    "blank.txt": "\n\n--\n--\r\n",
    "latin1.txt": Buffer.from([0x61, 0xe9, 0x62]),
    "one.json": JSON.stringify([idOfLetter("a")]),
    "bos.json": "[258]",
    "none.json": "[]",
    "high.json": "[1, 2, 300]",
    "bad.ds": chainText.replace("table[ids[t],v]\n", "log(table[ids[t],v] - 1)\n"),
  });
  const text = ["--text", "text.txt"];
  const rows: readonly (readonly [args: readonly string[], code: number, error: string])[] = [
    [[], 2, "--text is missing"],
    [[...text, "--tokens", "one.json"], 2, "--text and --tokens do not go together"],
    [["--tokens", "one.json", "--separator", "x"], 2, "--separator is for --text"],
    [[...text, "--separator", ""], 2, "an empty text separates nothing"],
    [[...text, "--first", "1", "--last", "1"], 2, "--first and --last do not go together"],
    [[...text, "--first", "0"], 2, "--first 0: expected a whole number from 1"],
    [[...text, "--last", "many"], 2, "--last many: expected a number"],
    [[...text, "--context", "1"], 2, "--context 1: expected a whole number from 2"],
    [[...text, "--stride", "0"], 2, "--stride 0: expected a whole number from 1"],
    [[...text, "--stride", "2", "--cut"], 2, "--stride and --cut do not go together"],
    [[...text, "--context", "4", "--stride", "4"], 2, "move by 1 to 3 behind the 1 that each begins with, not by 4"],
    [[...text, "--context", "4", "--stride", "9"], 2, "not by 9"],
    [[...text, "--chunk", "0"], 2, "--chunk 0: expected a whole number from 1"],
    [[...text, "--threads", "2"], 2, "--threads is for packages"],
    [[...text, "--backend", "wasn"], 2, "there is no such backend"],
    [["--text", "nothing.txt"], 3, "cannot read nothing.txt: there is no such file"],
    [["--text", "latin1.txt"], 3, "cannot read latin1.txt: it is not UTF-8 text"],
    [["--text", "empty.txt"], 1, "empty.txt holds no text"],
    [["--text", "blank.txt", "--separator=--"], 1, "blank.txt holds no text"],
    [["--tokens", "none.json"], 1, "there are no tokens"],
    [["--tokens", "one.json"], 1, "there is nothing to predict"],
    [["--tokens", "bos.json"], 1, "there is nothing to predict"],
    [["--tokens", "high.json"], 1, "document 0: token 2 is 300; the model has ids 0 to 287"],
  ];
  for (const [args, code, error] of rows) {
    const ran = await runInside([...perplexity, ...args, "--json"], cwd);
    expect({ args, ...ran }).toMatchObject({ code, out: "" });
    expect(ran.error).toContain(error);
  }
  const bad = await runInside(["perplexity", "bad.ds", "--weights", "model", ...text], cwd);
  expect(bad).toMatchObject({ code: 1, out: "" });
  expect(bad.error).toMatch(/^dsc: document 0: the logits before token \d+ are no numbers/);
  writeFileSync(join(cwd, "model/tokenizer.json"), "{}");
  expect(await runInside([...perplexity, ...text], cwd)).toMatchObject({ code: 1, out: "" });
});

test("a window is no longer than the model remembers, and text needs a tokenizer", async () => {
  const oracle = loadCase("llama-gqa");
  const cwd = project({ "ids.json": JSON.stringify(oracle.ids), "text.txt": "abc" });
  await writeCheckpoint(join(cwd, "model"), oracle);
  expect(existsSync(join(cwd, "model/tokenizer.json"))).toBe(false);
  const base = ["perplexity", llm, "--weights", "model"];
  const text = await runInside([...base, "--text", "text.txt"], cwd);
  expect(text).toMatchObject({ code: 1, out: "" });
  expect(text.error).toContain("there is no tokenizer.json beside the weights\n  --tokens");
  const long = await runInside([...base, "--tokens", "ids.json", "--context", "49"], cwd);
  expect(long).toMatchObject({ code: 2, out: "", error: "dsc: --context 49: the model remembers 48\n" });
});
