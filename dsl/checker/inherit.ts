/** `extends`: a child has all items of its parents; `override` replaces one of the same kind and name. */
import type { Config, Expr, Model, ModelItem, Name, StringLiteral } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { closest } from "../diagnostics/suggest.ts";
import type { PathCondition } from "./context.ts";
import type { Module } from "./modules.ts";
import { type Recorder, report } from "./recorder.ts";

/** A model of a chain of `extends`, eldest first. */
export interface Ancestor {
  readonly model: Model;
  readonly module: Module;
  /** Where this model's config.json begins below the child's, and the prefix of its tensors. */
  readonly root: readonly string[];
  readonly prefix: string;
}

export interface Ancestry {
  readonly chain: readonly Ancestor[];
  /** False when a parent cannot be found, so that nothing can be said of what is inherited. */
  readonly complete: boolean;
}

export interface TaggedItem {
  readonly item: ModelItem;
  readonly ancestor: Ancestor;
}

/** The chain from the eldest ancestor to the model itself; stops at what cannot be found (reported). */
export function ancestryOf(
  model: Model,
  module: Module,
  modules: ReadonlyMap<string, Module>,
  recorder: Recorder,
): Ancestry {
  const chain: Ancestor[] = [];
  let at: Model | null = model;
  let home: Module = module;
  let root: readonly string[] = [];
  let prefix = "";
  let complete = true;
  while (at !== null) {
    chain.unshift({ model: at, module: home, root, prefix });
    const { parent }: Model = at;
    if (parent === null) break;
    const entity = home.scope.names.get(parent.name.text);
    if (entity?.source.kind !== "model") {
      if (entity?.source.kind !== "broken") {
        const models = [...home.scope.names.values()].filter((e) => e.source.kind === "model").map((e) => e.name);
        const near = closest(parent.name.text, models);
        report(recorder, "DS0101", {
          title: entity === undefined ? `unknown model \`${parent.name.text}\`` : `\`${parent.name.text}\` is no model`,
          at: parent.name.span,
          label: "a model can extend a model only",
          help: near === null ? null : `did you mean \`${near}\`?`,
        });
      }
      complete = false;
      break;
    }
    entity.uses += 1;
    recorder.references.set(`${parent.name.span.source.path}:${parent.name.span.start}:${parent.name.span.end}`, {
      span: parent.name.span,
      symbol: entity.symbol,
    });
    const next: Model = entity.source.decl;
    if (chain.some((a) => a.model === next)) {
      report(recorder, "DS0109", {
        title: "models extend each other in a circle",
        at: parent.name.span,
        label: "this model extends itself in the end",
      });
      complete = false;
      break;
    }
    const path: readonly string[] | null = parent.root === null ? [] : configPath(parent.root);
    if (path === null && parent.root !== null) {
      report(recorder, "DS0227", {
        title: "a place in config.json is expected",
        at: parent.root.span,
        label: "write `$.name`",
      });
    }
    root = [...root, ...(path ?? [])];
    prefix = joinName(prefix, parent.prefix);
    home = [...modules.values()].find((m) => m.loaded.file.declarations.includes(next)) ?? home;
    at = next;
  }
  return { chain, complete };
}

const joinName = (prefix: string, more: StringLiteral | null): string =>
  more === null ? prefix : prefix === "" ? more.value : `${prefix}.${more.value}`;

export function configPath(expr: Expr): readonly string[] | null {
  if (expr.kind === "config-root") return [];
  if (expr.kind === "group") return configPath(expr.inner);
  if (expr.kind !== "member") return null;
  const base = configPath(expr.base);
  return base === null ? null : [...base, expr.word.text];
}

/** Names an item declares, with its kind as `override` sees it. */
function namesOf(item: ModelItem): readonly { readonly kind: string; readonly name: Name }[] {
  switch (item.kind) {
    case "weight":
    case "part":
    case "state":
    case "entry":
    case "phase":
    case "loop":
    case "runtime":
      return [{ kind: item.kind, name: item.name }];
    case "slot":
      return [{ kind: "block", name: item.name }];
    case "param":
      return item.names.map((name) => ({ kind: "param", name }));
    case "config":
      return item.entries.flatMap((e) =>
        e.kind === "field" ? e.names.map((name) => ({ kind: "config field", name })) : [],
      );
    case "equation":
      return item.targets.flatMap((t) => (t.name.text === "_" ? [] : [{ kind: "equation", name: t.name }]));
    default:
      return [];
  }
}

const overridable = new Set(["weight", "part", "block", "entry", "phase", "loop", "equation", "config field"]);

const overrideText = (kind: string, name: string): string =>
  kind === "config field"
    ? `override config { ${name} … }`
    : `override ${kind === "equation" ? "" : `${kind} `}${name} …`;

export interface Inherited {
  readonly items: readonly TaggedItem[];
  readonly overrides: readonly {
    readonly item: ModelItem;
    readonly replaced: ModelItem;
    readonly name: string;
    readonly span: Span;
  }[];
}

/** Applies the overrides of one path; `all` are the items of every path, to tell a name that is only elsewhere. */
export function applyOverrides(
  items: readonly TaggedItem[],
  all: readonly TaggedItem[],
  conditions: readonly PathCondition[],
  recorder: Recorder,
): Inherited {
  void conditions;
  const kept: TaggedItem[] = [];
  const overrides: { item: ModelItem; replaced: ModelItem; name: string; span: Span }[] = [];
  for (const tagged of items) {
    const { item } = tagged;
    const declared = namesOf(item);
    if (item.override === null) {
      let taken = false;
      for (const { kind, name } of declared) {
        const clash = kept.find(
          (k) => k.ancestor !== tagged.ancestor && namesOf(k.item).some((n) => n.name.text === name.text),
        );
        if (clash === undefined || name.text === "") continue;
        taken = true;
        const before = namesOf(clash.item).find((n) => n.name.text === name.text);
        report(recorder, "DS0134", {
          title: `\`${name.text}\` is taken by the parent`,
          at: name.span,
          label: "a name of the parent is replaced with `override` only",
          secondary: before === undefined ? [] : [{ span: before.name.span, text: `the parent's ${before.kind}` }],
          help:
            before?.kind === kind && overridable.has(kind)
              ? `\`${overrideText(kind, name.text)}\``
              : "choose another name",
        });
      }
      if (!taken || item.kind === "config") kept.push(tagged);
      continue;
    }
    if (item.kind === "config") {
      overrides.push(...overrideFields(tagged, item, kept, all, recorder));
      kept.push(tagged);
      continue;
    }
    const [first] = declared;
    if (first === undefined) {
      report(recorder, "DS0131", {
        title: "this cannot be overridden",
        at: item.override,
        label: "only config fields, weights, parts, blocks, entries, phases, loops and equations can",
      });
      continue;
    }
    const place = kept.findIndex((k) => namesOf(k.item).some((n) => n.name.text === first.name.text));
    const old = kept[place];
    if (old === undefined) {
      const elsewhere = all.some(
        (k) => k.item !== item && namesOf(k.item).some((n) => n.name.text === first.name.text),
      );
      if (!elsewhere) reportNothing(tagged, first.name, kept, recorder);
      kept.push(tagged);
      continue;
    }
    const before = namesOf(old.item).find((n) => n.name.text === first.name.text);
    if (before !== undefined && (before.kind !== first.kind || !overridable.has(first.kind))) {
      report(recorder, "DS0131", {
        title: overridable.has(before.kind)
          ? `\`${first.name.text}\` is another kind of declaration`
          : `a ${before.kind} cannot be overridden`,
        at: first.name.span,
        label: `here a ${first.kind}`,
        secondary: [{ span: before.name.span, text: `in the parent a ${before.kind}` }],
      });
      continue;
    }
    overrides.push({ item, replaced: old.item, name: first.name.text, span: first.name.span });
    kept[place] = tagged;
  }
  return { items: kept, overrides };
}

/** Takes the fields of `override config { … }` out of the parents' configs. */
function overrideFields(
  tagged: TaggedItem,
  item: Config,
  kept: TaggedItem[],
  all: readonly TaggedItem[],
  recorder: Recorder,
): Inherited["overrides"] {
  return namesOf(item).flatMap(({ name }) => {
    const declares = (other: ModelItem): boolean => namesOf(other).some((n) => n.name.text === name.text);
    const place = kept.findIndex((k) => declares(k.item));
    const old = kept[place];
    if (old === undefined) {
      if (!all.some((k) => k.item !== item && declares(k.item))) reportNothing(tagged, name, kept, recorder);
      return [];
    }
    if (old.item.kind !== "config") {
      const before = namesOf(old.item).find((n) => n.name.text === name.text);
      report(recorder, "DS0131", {
        title: `\`${name.text}\` is another kind of declaration`,
        at: name.span,
        label: "here a config field",
        secondary: before === undefined ? [] : [{ span: before.name.span, text: `in the parent a ${before.kind}` }],
      });
      return [];
    }
    kept[place] = { ...old, item: withoutField(old.item, name.text) };
    return [{ item, replaced: old.item, name: name.text, span: name.span }];
  });
}

const withoutField = (config: Config, name: string): Config => ({
  ...config,
  entries: config.entries.flatMap((entry): Config["entries"] => {
    if (entry.kind !== "field") return [entry];
    const names = entry.names.filter(({ text }) => text !== name);
    return names.length === 0 ? [] : [{ ...entry, names }];
  }),
});

function reportNothing(tagged: TaggedItem, name: Name, kept: readonly TaggedItem[], recorder: Recorder): void {
  const { item, ancestor } = tagged;
  if (ancestor.model.parent === null) {
    report(recorder, "DS0133", {
      title: "nothing to override",
      at: item.override ?? item.span,
      label: `\`${ancestor.model.name.text}\` extends no model`,
      help: "leave `override` out",
    });
    return;
  }
  const near = closest(
    name.text,
    kept.flatMap((k) => namesOf(k.item).map((n) => n.name.text)),
  );
  report(recorder, "DS0130", {
    title: `the parent has nothing named \`${name.text}\``,
    at: name.span,
    label: "there is nothing to override",
    help: near === null ? "leave `override` out to declare something new" : `did you mean \`${near}\`?`,
  });
}
