import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../conformance/bind-text.ts";
import { loadCase } from "../oracle/cases.ts";
import { type ChainStorage, chainText, idOfLetter, writeChain } from "./chain-model.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { dsc, project, startDsc } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const llm = join(root, "models/deepseek-llm.ds");
const chain = ["run", "chain.ds", "--weights", "model"];
const statistics = (prompt: string, tokens: number, stop: string): RegExp =>
  new RegExp(`^${prompt} in [\\d.]+ s; ${tokens} tokens?( at [\\d.]+ a second)?; stopped: ${stop}\n$`);

async function chained(storage: ChainStorage = "F32"): Promise<string> {
  const cwd = project({});
  await writeChain(cwd, storage);
  return cwd;
}

test("text goes on to its end, from an option and from standard input", async () => {
  const cwd = await chained();
  const option = await runInside([...chain, "--prompt", "k"], cwd);
  expect(option).toMatchObject({ code: 0, out: "lmnopqrstuvwxyz\n" });
  expect(option.error).toMatch(statistics("2 prompt tokens", 16, "end of text \\(259\\)"));
  // The line break that `echo` adds is no part of the prompt.
  expect(await dsc(chain, { cwd, input: "v\n" })).toMatchObject({ code: 0, out: "wxyz\n" });
});

test.each<[ChainStorage]>([["F8_E4M3"], ["F4 as I8"]])(
  "weights stored as %s are decoded by the block of their format",
  async (storage) => {
    const cwd = await chained(storage);
    expect(await runInside([...chain, "--prompt", "k"], cwd)).toMatchObject({ code: 0, out: "lmnopqrstuvwxyz\n" });
  },
);

test("it stops at texts, at counts and at ids", async () => {
  const cwd = await chained();
  const rows: readonly (readonly [args: readonly string[], out: string, stop: string])[] = [
    [["--stop", "fgh"], "bcde\n", 'stop text "fgh"'],
    [["--stop", "xx", "--stop", "def", "--stop", "efg"], "bc\n", 'stop text "def"'],
    [["--max-tokens", "3"], "bcd\n", "as many tokens as were asked for"],
    [["--end-ids", `${idOfLetter("e")},1`], "bcd\n", `end of text \\(${idOfLetter("e")}\\)`],
  ];
  for (const [args, out, stop] of rows) {
    const ran = await runInside([...chain, "--prompt", "a", ...args], cwd);
    expect(ran).toMatchObject({ code: 0, out });
    expect(ran.error).toMatch(new RegExp(`stopped: ${stop}\n$`));
  }
});

test("generation_config.json goes before config.json", async () => {
  const cwd = await chained();
  writeFileSync(join(cwd, "model/generation_config.json"), JSON.stringify({ eos_token_id: [idOfLetter("d"), 259] }));
  expect(await runInside([...chain, "--prompt", "a"], cwd)).toMatchObject({ code: 0, out: "bc\n" });
});

test("a chat template makes the prompt, which holds BOS where it puts it", async () => {
  const cwd = await chained();
  const template =
    "{{ bos_token }}{% for m in messages %}<user>{{ m.content }}{% endfor %}{% if add_generation_prompt %}p{% endif %}";
  writeFileSync(join(cwd, "model/chat_template.jinja"), template);
  const ran = await runInside([...chain, "--prompt", "hi", "--chat", "--json"], cwd);
  const found: { readonly prompt: readonly number[]; readonly text: string } = JSON.parse(ran.out);
  expect(found.text).toBe("qrstuvwxyz");
  expect(found.prompt).toEqual([258, 260, idOfLetter("h"), idOfLetter("i"), idOfLetter("p")]);
  rmSync(join(cwd, "model/chat_template.jinja"));
  const none = await runInside([...chain, "--prompt", "hi", "--chat"], cwd);
  expect(none).toMatchObject({ code: 1, out: "" });
  expect(none.error).toContain("no chat template");
});

test("a choice among several is the seed's, and the same again", async () => {
  const cwd = await chained();
  const say = async (...args: readonly string[]): Promise<string> =>
    (await runInside([...chain, "--prompt", "a", "--max-tokens", "12", "--json", ...args], cwd)).out;
  const idsIn = (out: string): readonly number[] => JSON.parse(out).ids;
  const hot = ["--temperature", "2"];
  const first = idsIn(await say(...hot, "--seed", "7"));
  expect(idsIn(await say(...hot, "--seed", "7"))).toEqual(first);
  expect(idsIn(await say(...hot, "--seed", "8"))).not.toEqual(first);
  const cold = [..."bcdefghijklm"].map(idOfLetter);
  expect(first).not.toEqual(cold);
  expect(idsIn(await say(...hot, "--top-k", "1"))).toEqual(cold);
  expect(idsIn(await say(...hot, "--min-p", "1"))).toEqual(cold);
  expect(idsIn(await say())).toEqual(cold);
});

test("a model without a tokenizer goes from ids to ids, to the end of its memory", async () => {
  const oracle = loadCase("llama-gqa");
  const cwd = project({});
  await writeCheckpoint(join(cwd, "model"), oracle);
  const args = ["run", llm, "--weights", "model", "--ids"];
  const ids = oracle.ids.join(",");
  const steps = oracle.steps.join(" ");
  expect(await runInside([...args, ids, "--max-tokens", "4"], cwd)).toMatchObject({ code: 0, out: `${steps}\n` });
  const chunked = await runInside(
    [...args, ids, "--max-tokens", "4", "--chunk", "3", "--json", "--taps", "layer.y"],
    cwd,
  );
  const found = JSON.parse(chunked.out);
  expect(found).toMatchObject({
    prompt: oracle.ids,
    ids: oracle.steps,
    text: null,
    stop: { kind: "max-tokens", count: 4 },
  });
  // The last token is never given to the model.
  expect(found.taps["layer.y"].map(({ layer, dims }: { layer: number; dims: unknown }) => [layer, dims])).toEqual([
    [0, [oracle.ids.length + 3, 32]],
    [1, [oracle.ids.length + 3, 32]],
  ]);
  const row = (t: number): readonly number[] => found.taps["layer.y"][1].values.slice(32 * t, 32 * (t + 1));
  expect(row(15).every((x, i) => Math.abs(x - (oracle.hidden.get("block.1")?.[15]?.[i] ?? Number.NaN)) < 1e-7)).toBe(
    true,
  );
  const full = await runInside([...args, new Array(47).fill(1).join(","), "--end-ids", "31", "--json"], cwd);
  expect(JSON.parse(full.out)).toMatchObject({
    stop: { kind: "context-full" },
    statistics: { promptTokens: 47, tokens: 2 },
  });
});

test("what is wrong is said, and never as a bug", async () => {
  const cwd = await chained();
  const broken = chainText.replace('at "table.weight"', 'at "table.wait"');
  const stateful = chainText
    .replace("runtime T : dim in 1..64", "runtime T : dim in 1..64\n  runtime S : memory in 1..64")
    .replace("forward(ids: [T] in V)", "forward(ids: [T] in V, pos: [T] in S)")
    .replace(
      "logits[t,v] := table[ids[t],v]",
      "state last : [S, V]\n    last[pos[t]] <- table[ids[t]] where ids[t] > 3\n    logits[t,v] := last[pos[t],v]",
    );
  const image = chainText
    .replace("forward(ids: [T] in V)", "forward(ids: [T] in V, image: [V])")
    .replace(":= table[ids[t],v]", ":= table[ids[t],v] + image[v]");
  for (const [name, text] of Object.entries({ broken, stateful, image })) writeFileSync(join(cwd, `${name}.ds`), text);
  writeFileSync(join(cwd, "none.ds"), "fn f(x: real) = x\n");
  const rows: readonly (readonly [args: readonly string[], code: number, error: string | RegExp])[] = [
    [["chain.ds", "--prompt", "a", "--ids", "1"], 2, "--prompt and --ids do not go together"],
    [["chain.ds", "--ids", "1", "--chat"], 2, "--ids and --chat do not go together"],
    [["chain.ds", "--ids", "1,x"], 2, "`x` is no id"],
    [["chain.ds", "--ids", "300"], 1, "token 0 is 300; the model has ids 0 to 287"],
    [["chain.ds", "--prompt", "a", "--top-k", "3"], 2, "--top-k chooses nothing at temperature 0"],
    [["chain.ds", "--prompt", "a", "--temperature=-1"], 2, "temperature -1 is not from 0"],
    [["chain.ds", "--prompt", "a", "--temperature", "warm"], 2, "--temperature warm: expected a number"],
    [["chain.ds", "--prompt", "a", "--max-tokens", "0"], 2, "expected a whole number from 1"],
    [["chain.ds", "--prompt", "a", "--stop", ""], 2, "an empty text stops nothing"],
    [["chain.ds", "--prompt", "a", "--taps", "logits"], 2, "--taps needs --json"],
    [["chain.ds", "--prompt", "a", "--json", "--taps", "logit"], 2, "did you mean `logits`?"],
    [["none.ds", "--prompt", "a"], 1, "none.ds has no model to run"],
    [["missing.ds", "--prompt", "a"], 3, "cannot read missing.ds"],
    [["broken.ds", "--prompt", "a"], 1, "error[DS0501]"],
    [["image.ds", "--prompt", "a"], 1, "the entry forward wants ids, image; it is run on the ids of tokens alone"],
    [["stateful.ds", "--prompt", "a"], 1, /^dsc: stateful\.ds:\d+:\d+: a row that is written only under a condition/],
  ];
  for (const [[file = "", ...args], code, error] of rows) {
    const ran = await runInside(["run", file, "--weights", "model", ...args], cwd);
    expect({ args: [file, ...args], ...ran }).toMatchObject({ code, out: "" });
    if (typeof error === "string") expect(ran.error).toContain(error);
    else expect(ran.error).toMatch(error);
  }
  expect(await runInside(["run", "chain.ds", "--prompt", "a"], cwd)).toMatchObject({ code: 2 });
  writeFileSync(join(cwd, "model/tokenizer.json"), "{}");
  const tokenizer = await runInside([...chain, "--prompt", "a"], cwd);
  expect(tokenizer).toMatchObject({ code: 1, out: "" });
  expect(tokenizer.error).toMatch(/^dsc: \$/);
});

test("Ctrl-C ends it, and what was written stays", async () => {
  const cwd = await chained();
  writeFileSync(join(cwd, "model/config.json"), JSON.stringify({ vocab_size: 288, eos_token_id: 0 }));
  const child = startDsc([...chain, "--prompt", "a", "--temperature", "100", "--max-tokens", "1000000"], { cwd });
  const out: Buffer[] = [];
  let error = "";
  child.stdin?.end();
  child.stderr?.on("data", (chunk: Buffer) => {
    error += chunk.toString("utf8");
  });
  const code = await new Promise<number | null>((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      out.push(chunk);
      if (out.length === 3) child.kill("SIGINT");
    });
    child.on("close", resolve);
  });
  expect(code).toBe(130);
  expect(Buffer.concat(out).toString("utf8").endsWith("\n")).toBe(true);
  expect(error).toMatch(/stopped: interrupted\n$/);
});
