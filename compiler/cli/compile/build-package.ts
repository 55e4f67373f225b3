/** From a checked model to the files of its package, and how long each step took. */
import { loadTarget } from "../../../backends/registry.ts";
import { type Compiled, type CompileRequest, compileModel } from "../../driver/compile.ts";
import type { PackageTarget } from "../../driver/package-target.ts";
import type { PackageFile } from "../../package/package-file.ts";
import { packageFiles } from "../../package/package-files.ts";
import { phaseCost } from "../../package/phase-cost.ts";
import type { RuntimeWish } from "../../package/runtime-parts.ts";
import { bundleOf } from "../bundle/bundle-of.ts";

import { Failure } from "../failure.ts";
import type { Surroundings } from "../surroundings.ts";
import type { ModelToCompile } from "./checked-model.ts";
import { openModuleThread } from "./module-thread.ts";

export interface BuiltPackage {
  readonly compiled: Compiled;
  /** By name. */
  readonly files: readonly PackageFile[];
  /** Of the graph and its kernels; of the modules that hold them, from then on; of all else. */
  readonly seconds: { readonly program: number; readonly modules: number; readonly texts: number };
}

/** A page that the package is to bring along. */
export interface PageWish {
  /** What it offers to load: an address, absolute or from the page on; null for nothing. */
  readonly weights: string | null;
}

/** What a package is for. */
export interface PackageUse {
  readonly page?: PageWish | null;
  /** What its runtime is to be able to do: all of it where it is not said. */
  readonly wish?: RuntimeWish;
  /** Engines that are able to do this alone, and nobody who reads it. Without it anyone who gets it. */
  readonly engine?: string;
}

export async function packagesFor({ choices }: Pick<ModelToCompile, "choices">): Promise<PackageTarget> {
  const packages = await loadTarget(choices.target);
  if (packages === null) throw new Error(`no target ${choices.target}`);
  return packages;
}

/** Throws UnsupportedError and ElaborationError (`knownFailure`). */
export async function buildPackage(
  { model, declared, entry, choices, shown }: ModelToCompile,
  { terminal, home }: Surroundings,
  { page = null, wish, engine }: PackageUse = {},
): Promise<BuiltPackage | Failure> {
  const packages = await packagesFor({ choices });
  const bundle = await bundleOf(home, choices.target);
  if (bundle instanceof Failure) return bundle;
  const pageFiles = page === null ? [] : await bundleOf(home, "page");
  if (pageFiles instanceof Failure) return pageFiles;
  const { target } = packages;
  terminal.progress(`compiling ${shown}`);
  const started = performance.now();
  const { weights, verify } = choices;
  const order = { model, declared, entry, target, weights, compiler: home.version, verify };
  const { compiled, emitted, planned, beside } = await emitBeside(order, packages, {
    engine,
    target: choices.target,
    planned: ({ kernels, program, reports }) => {
      terminal.progress(`compiling ${shown}: ${kernels.length} kernels`);
      return reports.map((report) => phaseCost(report, program, target.cost));
    },
  });
  const { kernels } = compiled;
  const { program, modules, texts } = emitted;
  const spelled = performance.now();
  const files = packageFiles({
    program,
    kernels,
    target: target.name,
    cost: beside,
    modules,
    texts,
    runtime: bundle,
    ...(wish === undefined ? {} : { wish }),
    onlyRun: engine !== undefined,
    ...(page === null ? {} : { page: { files: pageFiles, weights: page.weights } }),
  });
  const ended = performance.now();
  return {
    compiled,
    files,
    seconds: {
      program: (planned - started) / 1000,
      modules: (spelled - planned) / 1000,
      texts: (ended - spelled) / 1000,
    },
  };
}

interface Emitting<T> {
  readonly engine: string | undefined;
  /** What it is called. */
  readonly target: string;
  /** What is done while modules are finished. */
  readonly planned: (compiled: Compiled) => T;
}

/** Kernels are proved and modules are made while there are still kernels to come, where the target and this process are able to. */
async function emitBeside<T>(request: CompileRequest, { emit, writer }: PackageTarget, emitting: Emitting<T>) {
  const { engine, target } = emitting;
  const thread =
    writer === undefined ? null : openModuleThread({ target, ...(engine === undefined ? {} : { engine }) });
  try {
    if (thread !== null) {
      const compiled = compileModel({ ...request, onKernel: thread.add, unproved: true });
      const planned = performance.now();
      const finishing = thread.finish();
      const beside = emitting.planned(compiled);
      const made = await finishing;
      if (made !== null) return { compiled, emitted: { program: compiled.program, ...made }, planned, beside };
    }
    const compiled = compileModel(request);
    const planned = performance.now();
    const beside = emitting.planned(compiled);
    return { compiled, emitted: await emit(compiled, engine), planned, beside };
  } finally {
    thread?.close();
  }
}
