/** A draft run in f64, token by token, with the weights that come along or those of a toy twin. */
import { referenceBackend } from "../../../backends/reference/reference-backend.ts";
import type { CheckedProject } from "../../../dsl/checker/check-project.ts";
import { countParameters } from "../../../dsl/graph-view/count-parameters.ts";
import type { TextOfModel } from "../../../runtime/text/text-files.ts";
import type { Tokenizer } from "../../../runtime/text/tokenizer.ts";
import type { Weights } from "../../../runtime/weights/weights.ts";
import { narrowFormats } from "../../directives/read-directives.ts";
import type { Session, TensorReader } from "../../driver/backend.ts";
import { elaborate } from "../../elaborate/elaborate.ts";
import { realsOf } from "../../graph/interpret/tensor.ts";
import { type TokenEntry, tokenEntry } from "../choose-entry.ts";
import { Failure } from "../failure.ts";
import { formatFinder, tensorReader } from "../tensor-reader.ts";
import { placedTensors, untoldTensor } from "../tiny/placed-tensors.ts";
import { seededNumbers } from "../tiny/seeded-numbers.ts";
import { tinyConfig } from "../tiny/tiny-config.ts";
import type { Draft, RunAsk, RunEvent } from "./protocol.ts";
import { boundOf, explained, orExplain, type Workbench, WorkbenchError } from "./workbench.ts";

/** What lies beside the text that the playground opens with. */
export interface OwnWeights {
  readonly weights: Weights;
  readonly text: TextOfModel;
}

export interface RunOrder {
  readonly bench: Workbench;
  readonly draft: Draft;
  readonly ask: RunAsk;
  /** Opened where they are asked for. */
  readonly own: () => Promise<OwnWeights>;
  readonly tell: (event: RunEvent) => void;
  readonly signal: AbortSignal;
  /** Lets messages come in. */
  readonly pause: () => Promise<void>;
}

/** Beyond it a model is shrunk before it is run with numbers from a seed. */
const mostParameters = 4_000_000;

/** Throws WorkbenchError, and `signal.reason`. */
export async function runDraft(order: RunOrder): Promise<void> {
  try {
    await run(order);
  } catch (error) {
    order.signal.throwIfAborted();
    throw explained(error);
  }
}

async function run(order: RunOrder): Promise<void> {
  const { bench, draft, ask, tell } = order;
  if (ask.weights === "own") {
    const { weights, text } = await order.own();
    tell({ about: "the weights that come along, in f64" });
    const checked = bench.project(draft);
    const reader = (model: Parameters<typeof tensorReader>[1]) => tensorReader(weights, model);
    await speak(order, checked, reader, text);
    return;
  }
  const checked = shrunk(bench, draft, tell);
  const untold = untoldTensor(checked);
  if (untold !== null) throw new WorkbenchError(`how many tensors ${untold} are is not known before a call`);
  await speak(order, checked, () => seededReader(checked, ask.seed), null);
}

/** With small sizes where it is a large one. */
function shrunk(bench: Workbench, draft: Draft, tell: RunOrder["tell"]): CheckedProject {
  const checked = bench.project(draft);
  const { model } = boundOf(checked, draft, ["next", "logits"]);
  const parameters = checked.model === null ? null : countParameters(checked.model).total;
  if (parameters !== null && parameters <= mostParameters) {
    tell({ about: `the model as it is, ${parameters.toLocaleString("en")} numbers from a seed, in f64` });
    return checked;
  }
  const published = draft.config ?? "{}";
  const twin = tinyConfig({ published, model, fixed: new Map(), check: (config) => bench.project(draft, config) });
  if ("diagnostics" in twin) throw new WorkbenchError("no small sizes were found that the text accepts");
  const sizes = twin.changed.slice(0, 6).map(({ path, from, to }) => `${path.join(".")} ${from} → ${to}`);
  tell({
    about: `a toy twin with numbers from a seed, in f64: ${sizes.join(", ")}${twin.changed.length > 6 ? ", …" : ""}`,
  });
  return twin.checked;
}

async function speak(
  order: RunOrder,
  checked: CheckedProject,
  readerOf: (model: ReturnType<typeof boundOf>["model"]) => TensorReader,
  text: TextOfModel | null,
): Promise<void> {
  const { draft, signal, ask, pause } = order;
  const { model, declared, entry, result } = boundOf(checked, draft, ["next", "logits"]);
  const elaborated = orExplain(() =>
    elaborate({ model, declared, entry, results: [result], format: narrowFormats(model, entry) }),
  );
  const facts = tokenEntry(elaborated, { entry, result });
  if (facts instanceof Failure) throw new WorkbenchError(facts.message);
  const { sizes, token, before } = facts;
  const reader = readerOf(model);
  const format = formatFinder({ model, declared });
  const session = await referenceBackend.openSession({ elaborated, sizes, token, before, reader, format, signal });
  const prompt = promptIds(ask.prompt, text?.tokenizer ?? null, facts);
  await pause();
  await say({ order, session, facts, prompt, text });
}

interface Saying {
  readonly order: RunOrder;
  readonly session: Session;
  readonly facts: TokenEntry;
  readonly prompt: readonly number[];
  readonly text: TextOfModel | null;
}

/** The best token always: what the text means, without chance. */
async function say({ order, session, facts, prompt, text }: Saying): Promise<void> {
  const { ask, tell, signal, pause } = order;
  const tokenizer = text?.tokenizer ?? null;
  const decoder = tokenizer?.newDecoder({ skipSpecial: true }) ?? null;
  const started = performance.now();
  let ids = prompt;
  for (let made = 0; made < ask.tokens && session.length + ids.length <= facts.context; made += 1) {
    const [rows] = session.forward(ids, { signal });
    if (rows === undefined) throw new WorkbenchError("the entry gives no logits");
    const best = bestOf(realsOf(rows).subarray(-facts.width), 5);
    const [[next] = [0, 0]] = best;
    const name = (id: number): string => tokenizer?.tokenOf(id) ?? String(id);
    tell({
      token: next,
      text: decoder?.push(next) ?? null,
      best: best.map(([id, logit]) => [name(id), logit]),
      seconds: (performance.now() - started) / 1000,
    });
    if (text?.endIds.includes(next) === true) return;
    ids = [next];
    await pause();
    signal.throwIfAborted();
  }
}

function bestOf(logits: Float64Array, count: number): readonly (readonly [id: number, logit: number])[] {
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
  return order.slice(0, count).map((id) => [id, logits[id] ?? 0]);
}

function promptIds(prompt: string, tokenizer: Tokenizer | null, { vocabulary }: TokenEntry): readonly number[] {
  if (tokenizer !== null) return tokenizer.encode(prompt, "as-configured");
  const ids = prompt.split(/[\s,]+/).flatMap((word) => (word === "" ? [] : [Number(word)]));
  const wrong = ids.find((id) => !Number.isSafeInteger(id) || id < 0 || id >= vocabulary);
  if (ids.length === 0 || wrong !== undefined)
    throw new WorkbenchError(
      `there is no tokenizer for these weights: ids of 0 … ${vocabulary - 1} are expected, such as 1, 2, 3`,
    );
  return ids;
}

/** The tensors that the text maps, with numbers from a seed, as `dsc tiny` writes them. */
function seededReader(checked: CheckedProject, seed: number): TensorReader {
  const tensors = new Map(
    placedTensors(checked).flatMap((tensor) => [tensor.name, ...tensor.copies].map((name) => [name, tensor] as const)),
  );
  const numbers = (name: string): Float64Array => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new WorkbenchError(`no tensor ${name}`);
    return seededNumbers(seed, tensor);
  };
  return {
    find: (name) => {
      const tensor = tensors.get(name);
      return tensor === undefined ? null : { dtype: "F32", shape: tensor.shape };
    },
    read: async (name) => numbers(name),
    readIntegers: async (name) => BigInt64Array.from(numbers(name), BigInt),
  };
}
