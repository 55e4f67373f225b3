/**
 * From the files of a package and a checkpoint to a model. In this order: the program is read and checked, the memory planned,
 * the checkpoint's headers are held against the program; only then memory is taken and weights are streamed into it.
 */
import { elemBytes } from "../artifact/elems.ts";
import { statesOf } from "../artifact/entry-states.ts";
import type { NoDraftReason } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { Device } from "../device/device.ts";
import { mayBlock } from "../device/features.ts";
import { weightBytes, weightElements } from "../device/layout.ts";
import { type DevicePlan, planInMemories } from "../device/plan-device.ts";
import { checkCopies } from "../session/check-copies.ts";
import { checkDraft } from "../session/check-draft.ts";
import { checkPhases, mostTokens } from "../session/choose-phase.ts";
import { type Features, featuresOf } from "../session/features.ts";
import type { Host, OpenedWeights } from "../session/host.ts";
import { fingerprint, loadWeights } from "../session/load-weights.ts";
import { lacksTensors, matchWeights } from "../session/match-weights.ts";
import { hasOptional, withoutDraft } from "../session/optional-weights.ts";
import type { SessionIdentity } from "../session/saved-session.ts";
import type { RowTable } from "../session/tables/row-table.ts";
import { readTextFiles } from "../text/text-files.ts";
import type { Weights } from "../weights/weights.ts";
import { checkedLoad, chooseSimd, type LoadOptions } from "./load-options.ts";
import { Model, type ModelInfo } from "./model.ts";
import { openSource } from "./open-source.ts";
import { type KernelFile, type ProgramFile, readKernels, readProgramFile } from "./read-package.ts";

/** `expected`: what is known of the program's bytes. */
export async function loadInto(
  base: URL,
  options: LoadOptions,
  host: Host,
  expected: string | null = null,
): Promise<Model> {
  const { signal } = options;
  signal?.throwIfAborted();
  const files = { base, expected, host, options: { signal } };
  const file = await readProgramFile(files);
  const { threads, context, chunk, logitsChunk } = checkedLoad(options, file.program, host.cores);
  checkPhases(file.program, chunk, context);
  checkDraft(file.program, chunk, context);
  const kernels = await readKernels(files, file.program, chooseSimd(options.simd), threads);
  const opened = await openSource(options.weights, host, {
    signal,
    lacks: (weights) => lacksTensors(file.program, weights),
  });
  try {
    const { weights } = opened;
    const lacks = whyNoDraft(file.program, weights, options);
    const plan = await planInMemories({
      program: lacks === null ? file.program : withoutDraft(file.program),
      ...{ threads: kernels.threads, chunk, logitsChunk, context },
      memoryBytes: host.memoryBytes,
    });
    const features = await featuresOf(plan.program);
    const wanted = { narrow: options.narrow === true, optional: lacks === null, features };
    const { placements, tables: sources, copies } = matchWeights(file.program, weights, wanted);
    await checkCopies(weights, copies, signal);
    const device = await Device.open({
      plan,
      module: kernels,
      available: host.available(),
      startThread: host.startThread,
      waiting: { mayBlock: mayBlock(), stall: host.patience },
    });
    try {
      const weight = device.weight.bind(device);
      const decode = device.decode.bind(device);
      const { formats } = features;
      await loadWeights(opened.weights, placements, {
        weight,
        decode,
        formats,
        signal,
        onProgress: options.onProgress,
      });
      const opening = { wanted: options.tables, decode, signal };
      const tables = (await features.tables?.open(sources, opened.weights, opening)) ?? [];
      const stays = tables.some((t) => t.residency === "source");
      if (!stays) await opened.weights.close();
      const close = stays ? () => opened.weights.close() : async () => undefined;
      return modelOf({ file, plan, kernels, device, host, opened, features, tables, close, lacks });
    } catch (error) {
      device.dispose();
      throw error;
    }
  } catch (error) {
    await opened.weights.close();
    throw error;
  }
}

interface Loaded {
  readonly file: ProgramFile;
  readonly plan: DevicePlan;
  readonly kernels: KernelFile;
  readonly device: Device;
  readonly host: Host;
  readonly opened: OpenedWeights;
  readonly features: Features;
  readonly tables: readonly RowTable[];
  readonly close: () => Promise<void>;
  readonly lacks: NoDraftReason | null;
}

function whyNoDraft(program: Program, weights: Weights, { draft }: LoadOptions): NoDraftReason | null {
  if (program.draft === undefined) return "no-entry";
  if (draft === false) return "not-loaded";
  return hasOptional(program, weights) ? null : "no-weights";
}

function modelOf({ file, plan, kernels, device, host, opened, features, tables, close, lacks }: Loaded): Model {
  const { program } = plan;
  const own = statesOf(program, program.entry);
  const identity: SessionIdentity = {
    name: program.model,
    program: file.hash,
    // Saved sessions are of what chooses tokens: who cannot draft takes up those of who could.
    weights: fingerprint(
      program.weights.map((w) => (w.optional === undefined ? weightBytes(w) : 0)),
      { weight: device.weight.bind(device) },
    ),
    tokenBytes: program.states.reduce((n, s, i) => n + (own.has(i) ? s.copies * s.row * elemBytes[s.elem] : 0), 0),
    vocabulary: program.vocabulary,
    context: plan.context,
  };
  return new Model({
    device,
    info: infoOf(plan, kernels, lacks),
    identity,
    tables,
    lookups: features.tables?.lookups ?? null,
    close,
    pause: host.pause,
    text: () => readTextFiles(opened.readText),
  });
}

function infoOf(plan: DevicePlan, { simd, threads }: KernelFile, lacks: NoDraftReason | null): ModelInfo {
  const { program } = plan;
  const rows = program.draft?.feeds.map((f) => f.first) ?? [];
  // One of the tokens that are checked was chosen.
  const most = Math.max(1, mostTokens(program.phases, { entry: program.entry, logits: "logits", rows })) - 1;
  const sum = (numbers: readonly number[]): number => numbers.reduce((n, x) => n + x, 0);
  return {
    name: program.model,
    compiler: program.compiler,
    parameters: sum(program.weights.map(weightElements)),
    vocabulary: program.vocabulary,
    context: plan.context,
    declaredContext: program.context,
    chunk: plan.chunk,
    threads,
    simd,
    draft: lacks === null ? { available: true, most } : { available: false, reason: lacks },
    memory: {
      weights: sum(program.weights.map(weightBytes)),
      constants: sum(program.constants.map((c) => elemBytes[c.elem] * c.values.length)),
      arena: plan.arena.bytes,
      arenaPeak: plan.arena.peak,
      session: plan.states.bytes,
      fixed: sum(plan.spread.memories.map(({ end }) => end)),
      memories: plan.spread.memories.length,
    },
  };
}
