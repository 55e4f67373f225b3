/**
 * From the files of a package and a checkpoint to a model. In this order: the program is read and checked, the memory planned,
 * the checkpoint's headers are held against the program; only then memory is taken and weights are streamed into it.
 */
import { elemBytes } from "../artifact/elems.ts";
import { statesOf } from "../artifact/entry-states.ts";
import type { NoDraftReason } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { weightBytes, weightElements } from "../artifact/weight-sizes.ts";
import { checkPhases, mostTokens } from "../calls/choose-phase.ts";
import type { ModelDevice } from "../calls/model-device.ts";
import { checkCopies } from "../session/check-copies.ts";
import type * as Drafting from "../session/drafting.ts";
import { type Features, featuresOf, partOf } from "../session/features.ts";
import type { Host, OpenedWeights } from "../session/host.ts";
import { loadWeights } from "../session/load-weights.ts";
import { lacksTensors, matchWeights } from "../session/match-weights.ts";
import type { SessionIdentity } from "../session/saved-session.ts";
import type { RowTable } from "../session/tables/row-table.ts";
import { WeightSamples } from "../session/weight-samples.ts";
import { readTextFiles } from "../text/text-files.ts";
import type { Weights } from "../weights/weights.ts";
import { checkedLoad, type LoadOptions } from "./load-options.ts";
import { type GpuInfo, Model, type ModelInfo } from "./model.ts";
import { openSource } from "./open-source.ts";
import * as parts from "./parts.ts";
import type { PlannedModel, Player } from "./player.ts";
import { type ProgramFile, readProgramFile } from "./read-package.ts";

export interface LoadOrder {
  readonly base: URL;
  readonly options: LoadOptions;
  readonly host: Host;
  readonly player: Player;
  /** What is known of the program's bytes. */
  readonly expected?: string | null;
}

export async function loadInto({ base, options, host, player, expected = null }: LoadOrder): Promise<Model> {
  const { signal } = options;
  signal?.throwIfAborted();
  const files = { base, expected, host, options: { signal } };
  const file = await readProgramFile(files);
  const { program } = file;
  const sizes = checkedLoad(options, program);
  checkPhases(program, sizes.chunk, sizes.context);
  const drafting = program.draft === undefined ? null : await partOf(parts.drafting);
  drafting?.checkDraft(program, sizes.chunk, sizes.context);
  const prepared = await player.prepare({ files, host, options, sizes, program });
  const opened = await openSource(options.weights, host, {
    signal,
    cache: options.cache,
    lacks: (weights) => lacksTensors(program, weights),
  });
  let device: ModelDevice | null = null;
  try {
    const { weights } = opened;
    const lacks = whyNoDraft(program, weights, options, drafting);
    const planned = await prepared.plan((lacks === null ? null : drafting?.withoutDraft(program)) ?? program);
    const features = await featuresOf(planned.played.program, parts);
    const wanted = { narrow: options.narrow === true, optional: lacks === null, features };
    const { placements, tables: sources, copies } = matchWeights(program, weights, wanted);
    await checkCopies(weights, copies, signal);
    const made = await planned.open();
    device = made.device;
    // Saved sessions are of what chooses tokens: who cannot draft takes up those of who could.
    const samples = new WeightSamples(program.weights.map((w) => (w.optional === undefined ? weightBytes(w) : 0)));
    const fillWeight = device.fillWeight.bind(device);
    const decode = device.decode.bind(device);
    const { onProgress } = options;
    const { formats } = features;
    await loadWeights(weights, placements, { fillWeight, decode, samples, formats, signal, onProgress });
    await device.loaded();
    const opening = { wanted: options.tables, decode, signal };
    const tables = (await features.tables?.open(sources, weights, opening)) ?? [];
    const stays = tables.some((t) => t.residency === "source");
    if (!stays) await weights.close();
    const close = stays ? () => weights.close() : async () => undefined;
    return modelOf({ file, planned, samples, ...made, host, opened, features, tables, close, lacks });
  } catch (error) {
    device?.dispose();
    await opened.weights.close();
    throw error;
  }
}

interface Loaded {
  readonly file: ProgramFile;
  readonly planned: PlannedModel;
  readonly samples: WeightSamples;
  readonly device: ModelDevice;
  readonly gpu: GpuInfo | null;
  readonly host: Host;
  readonly opened: OpenedWeights;
  readonly features: Features;
  readonly tables: readonly RowTable[];
  readonly close: () => Promise<void>;
  readonly lacks: NoDraftReason | null;
}

function whyNoDraft(
  program: Program,
  weights: Weights,
  { draft }: LoadOptions,
  drafting: typeof Drafting | null,
): NoDraftReason | null {
  if (drafting === null) return "no-entry";
  if (draft === false) return "not-loaded";
  return drafting.hasOptional(program, weights) ? null : "no-weights";
}

function modelOf({ file, planned, samples, device, gpu, host, opened, features, tables, close, lacks }: Loaded): Model {
  const { program, context } = planned.played;
  const own = statesOf(program, program.entry);
  const identity: SessionIdentity = {
    name: program.model,
    program: file.hash,
    weights: samples.hash(),
    tokenBytes: program.states.reduce((n, s, i) => n + (own.has(i) ? s.copies * s.row * elemBytes[s.elem] : 0), 0),
    vocabulary: program.vocabulary,
    context,
  };
  return new Model({
    device,
    info: { ...infoOf(planned, lacks), gpu },
    identity,
    tables,
    lookups: features.tables?.lookups ?? null,
    close,
    pause: host.pause,
    text: () => readTextFiles(opened.readText, parts),
  });
}

function infoOf({ played, info }: PlannedModel, lacks: NoDraftReason | null): Omit<ModelInfo, "gpu"> {
  const { program, context, chunk } = played;
  const rows = program.draft?.feeds.map((f) => f.first) ?? [];
  // One of the tokens that are checked was chosen.
  const most = Math.max(1, mostTokens(program.phases, { entry: program.entry, logits: "logits", rows })) - 1;
  const sum = (numbers: readonly number[]): number => numbers.reduce((n, x) => n + x, 0);
  return {
    ...info,
    name: program.model,
    compiler: program.compiler,
    parameters: sum(program.weights.map(weightElements)),
    vocabulary: program.vocabulary,
    context,
    declaredContext: program.context,
    chunk,
    draft: lacks === null ? { available: true, most } : { available: false, reason: lacks },
    memory: {
      ...info.memory,
      weights: sum(program.weights.map(weightBytes)),
      constants: sum(program.constants.map((c) => elemBytes[c.elem] * c.values.length)),
    },
  };
}
