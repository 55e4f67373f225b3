/** The entry of the checker: a file and all it imports, as text, to diagnostics and what editors and drawings need. */
import type { Block, Fn, Law, Model, Schedule } from "../ast/nodes.ts";
import { sortDiagnostics } from "../diagnostics/sort.ts";
import { makeSource } from "../diagnostics/source.ts";
import { parse } from "../parser/parse.ts";
import { call } from "./call.ts";
import type { BoundConfig } from "./config.ts";
import type { DeclInfo, Shared } from "./context.ts";
import { checkDeclaration, type Usage } from "./declarations.ts";
import { define } from "./define.ts";
import { checkNumerics } from "./directives/numerics.ts";
import { checkSchedules } from "./directives/schedules.ts";
import { withoutEchoes } from "./echoes.ts";
import { infer } from "./infer.ts";
import type { PlacedWeight } from "./instances/build.ts";
import { loadProject, newParseCache, type ParseCache, type ReadText } from "./load.ts";
import { type CheckedModel, checkModel, type ModelPath } from "./model.ts";
import { type Module, modulesOf } from "./modules.ts";
import { placeModel } from "./place-model.ts";
import { read } from "./read.ts";
import { addReference, newRecorder, type Recorder, report } from "./recorder.ts";
import type { CheckResult } from "./result.ts";
import { reportUnused } from "./unused.ts";

export interface CheckOptions {
  /** Project-relative path of the file to check. */
  readonly entry: string;
  /** The text of a project-relative path; `std/x.ds` is a file of the library. Null where there is none. */
  readonly read: ReadText;
  readonly config?: NamedText;
  /** Options of the compilation, `--set name=value`, as text. */
  readonly settings?: ReadonlyMap<string, string>;
  /** A listing of tensors: the header of a safetensors file, or the index of a sharded one. */
  readonly weights?: NamedText;
  /** A file with schedules for the model, beside those of the entry file; what it imports is not read. */
  readonly schedule?: NamedText;
  /** Trees kept between checks. */
  readonly cache?: ParseCache;
}

export interface NamedText {
  readonly path: string;
  readonly text: string;
}

/** A model bound to its config: what is compiled. */
export interface BoundModel {
  readonly name: string;
  /** The path through its `if`s that the config chooses. */
  readonly path: ModelPath;
  readonly config: BoundConfig;
  /** Every weight where it stands, those of optional parts too. */
  readonly weights: readonly PlacedWeight[];
  /** How its definitions are to be computed: those of its file, and those given beside it. */
  readonly schedules: readonly Schedule[];
}

/** What the check found, and what it knows that a compiler goes on with. */
export interface CheckedProject extends CheckResult {
  /** Null where the entry file has no model, or its config was refused. */
  readonly bound: BoundModel | null;
  /** What is known of a declaration of any file reached. */
  readonly declared: (decl: Fn | Block | Law) => DeclInfo;
}

export function checkProject(options: CheckOptions): CheckedProject {
  const recorder = newRecorder();
  const project = loadProject(options.entry, options.read, recorder, options.cache ?? newParseCache());
  const infos = new Map<Fn | Block | Law, DeclInfo>();
  const usage: Usage = new Map();
  let modules: ReadonlyMap<string, Module> = new Map();
  const homes = new Map<Fn | Block | Law, Module>();
  const declared = (decl: Fn | Block | Law): DeclInfo => {
    const known = infos.get(decl);
    if (known !== undefined) return known;
    const info: DeclInfo = { decl, header: null, paths: [], mixes: new Set(), remembers: new Set(), done: false };
    infos.set(decl, info);
    const home = homes.get(decl);
    if (home !== undefined) checkDeclaration(decl, home.scope, shared, info, usage);
    return info;
  };
  const shared: Shared = { recorder, rules: { infer, read, call, define, declared } };
  modules = modulesOf(project, shared);
  for (const module of modules.values()) {
    for (const decl of module.loaded.file.declarations) {
      if (decl.kind === "fn" || decl.kind === "block" || decl.kind === "law") homes.set(decl, module);
    }
  }
  const home = modules.get(options.entry);
  const models: CheckedModel[] = [];
  for (const decl of home?.loaded.file.declarations ?? []) {
    if (home === undefined) break;
    if (decl.kind === "model") models.push(checkModel(decl, home, modules, shared, usage));
    else if (decl.kind !== "schedule") declared(decl);
  }
  const schedules = [...schedulesOf(home), ...schedulesIn(options.schedule, recorder)];
  const others = new Map<Model, CheckedModel | null>();
  const named = (schedule: Schedule): CheckedModel | null => {
    const own = models.find((m) => m.model.name.text === schedule.model.text);
    const entity = home?.scope.names.get(schedule.model.text);
    if (entity?.source.kind === "model") {
      entity.uses += 1;
      if (schedule.span.source.path === options.entry) addReference(recorder, schedule.model.span, entity.symbol);
      if (own !== undefined) return own;
      const { decl } = entity.source;
      if (!others.has(decl)) others.set(decl, imported(decl, modules, shared));
      return others.get(decl) ?? null;
    }
    if (entity?.source.kind !== "broken" && schedule.model.text !== "") reportNoModel(schedule, recorder);
    return null;
  };
  const scheduled = schedules.map((schedule) => ({ schedule, model: named(schedule) }));
  for (const model of models) checkNumerics(model, shared);
  for (const model of new Set(scheduled.map((s) => s.model))) {
    if (model === null) continue;
    const own = scheduled.flatMap((s) => (s.model === model ? [s.schedule] : []));
    checkSchedules(own, model, shared);
  }
  if (home !== undefined) reportUnused(home, models, usage, recorder);
  const last = models.at(-1);
  const placed = last === undefined ? null : placeModel(last, options, shared);
  return {
    files: new Map([...project.files].map(([path, loaded]) => [path, loaded.file])),
    diagnostics: sortDiagnostics(withoutEchoes(recorder.diagnostics, project)),
    symbols: [...recorder.symbols.values()],
    references: [...recorder.references.values()],
    hovers: [...recorder.hovers.values()],
    annotations: [...recorder.annotations.values()],
    captures: [...recorder.captures.values()],
    unproved: [...recorder.unproved.values()],
    model: placed?.model ?? null,
    bound:
      last === undefined || placed === null
        ? null
        : {
            name: last.model.name.text,
            path: placed.path,
            config: placed.config,
            weights: placed.weights,
            schedules: scheduled.flatMap(({ schedule, model }) => (model === last ? [schedule] : [])),
          },
    declared,
  };
}

const schedulesOf = (module: Module | undefined): readonly Schedule[] =>
  (module?.loaded.file.declarations ?? []).filter((d): d is Schedule => d.kind === "schedule");

/** Those of a file of their own. */
function schedulesIn(given: NamedText | undefined, recorder: Recorder): readonly Schedule[] {
  if (given === undefined) return [];
  const { file, diagnostics } = parse(makeSource(given.path, given.text));
  recorder.diagnostics.push(...diagnostics);
  for (const decl of file.declarations) {
    if (decl.kind === "schedule") continue;
    report(recorder, "DS0001", {
      title: `unexpected \`${decl.kind}\` in a file of schedules`,
      at: decl.name.span,
      label: "only schedules stand in such a file",
    });
  }
  return file.declarations.filter((d): d is Schedule => d.kind === "schedule");
}

/** A model of another file, for a schedule in this one. */
function imported(decl: Model, modules: ReadonlyMap<string, Module>, shared: Shared): CheckedModel | null {
  const home = [...modules.values()].find((m) => m.loaded.file.declarations.includes(decl));
  return home === undefined ? null : checkModel(decl, home, modules, shared, new Map());
}

function reportNoModel({ model }: Schedule, recorder: Recorder): void {
  report(recorder, "DS0101", {
    title: `no model named \`${model.text}\``,
    at: model.span,
    label: "a schedule is for a model",
  });
}
