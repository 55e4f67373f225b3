/** What a session remembers: nothing of what was taken back or failed, and nothing of another session. */
import { beforeAll, describe, expect, test } from "vitest";
import type { ReferenceSession } from "../../backends/reference/session.ts";
import { loadCase, loadSparseCase, type OracleCase } from "../oracle/cases.ts";
import { type BoundText, bindText, type Rows, rowsOf } from "./bind-text.ts";

const models: readonly (readonly [model: string, oracle: OracleCase])[] = [
  ["deepseek-llm", loadCase("llama-gqa")],
  ["deepseek-v3", loadSparseCase("v3")],
];

describe.each(models)("%s", (model, oracle) => {
  const [first = 0, second = 0, third = 0] = oracle.steps;
  let bound: BoundText;
  let prompt: Rows;
  let after: Rows;
  beforeAll(async () => {
    const { config } = oracle;
    bound = await bindText({ entry: `models/${model}.ds`, config, tensors: oracle.weights(), results: ["logits"] });
    prompt = logits(bound.session, oracle.ids);
    after = logits(bound.session, [first, second]);
  });
  const logits = (session: ReferenceSession, ids: readonly number[], chunk = 64): Rows =>
    rowsOf(session.forward(ids, { chunk })[0]);
  /** A session that remembers the prompt. */
  const begun = (): ReferenceSession => {
    const session = bound.another();
    expect(logits(session, oracle.ids)).toEqual(prompt);
    return session;
  };

  test("what is rolled back has never been", () => {
    const session = begun();
    logits(session, [third, third, first]);
    session.rollback(3);
    expect(session.length).toBe(oracle.ids.length);
    expect(logits(session, [first, second])).toEqual(after);
    session.rollback(session.length);
    expect(logits(session, oracle.ids)).toEqual(prompt);
    session.reset();
    expect(logits(session, oracle.ids)).toEqual(prompt);
  });

  test("chunks give the same numbers to the last bit", () => {
    for (const chunk of [1, 3, 5]) expect(logits(bound.another(), oracle.ids, chunk)).toEqual(prompt);
  });

  test("of a result without tokens the last call counts", async () => {
    const { config, ids } = oracle;
    const tensors = oracle.weights();
    const { session } = await bindText({ entry: `models/${model}.ds`, config, tensors, results: ["next"] });
    const [next] = session.forward(ids, { chunk: 5 });
    expect([...(next?.data ?? [])]).toEqual(prompt.at(-1));
  });

  test("two sessions do not touch each other", () => {
    const [one, other] = [bound.another(), bound.another()];
    const rows: Rows[] = [];
    for (const id of [...oracle.ids, first, second]) {
      rows.push(logits(one, [id]));
      logits(other, [third]);
    }
    expect(rows.flat()).toEqual([...prompt, ...after]);
  });

  test.each([
    ["at its first value", 0, 64],
    ["in the middle", 25, 64],
    ["in a later chunk", 150, 2],
  ])("a call that fails or is aborted %s leaves the memory as it was", (_when, value, chunk) => {
    const ids = [third, third, first, second, third];
    const session = begun();
    const stop = new AbortController();
    let seen = 0;
    const at = (act: () => void) => () => {
      if (seen === value) act();
      seen += 1;
    };
    const fail = at(() => {
      throw new Error("planted");
    });
    expect(() => session.forward(ids, { chunk, observe: fail })).toThrow("planted");
    seen = 0;
    const abort = at(() => stop.abort("enough"));
    let thrown: unknown = null;
    try {
      session.forward(ids, { chunk, observe: abort, signal: stop.signal });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBe("enough");
    expect(session.length).toBe(oracle.ids.length);
    expect(logits(session, [first, second])).toEqual(after);
  });

  test("what does not fit is refused before it is run", () => {
    const session = begun();
    const { max_position_embeddings: most }: { readonly max_position_embeddings: number } = JSON.parse(oracle.config);
    expect(() => session.forward(new Array(most).fill(first))).toThrow(`the model remembers ${most}`);
    expect(() => session.forward([])).toThrow("at least one token");
    expect(() => session.forward([first], { chunk: 0 })).toThrow(RangeError);
    expect(() => session.forward([first, 1e6])).toThrow();
    expect(logits(session, [first, second])).toEqual(after);
  });
});
