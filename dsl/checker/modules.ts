/** Files as scopes: what each declares and imports. */
import type { Block, Fn, Law, Model } from "../ast/nodes.ts";
import { spanText } from "../diagnostics/source.ts";
import { closest } from "../diagnostics/suggest.ts";
import type { Entity, EntitySource, Scope, Shared } from "./context.ts";
import type { LoadedFile, Project } from "./load.ts";
import { addReference, declareSymbol, report } from "./recorder.ts";

export interface Module {
  readonly loaded: LoadedFile;
  readonly scope: Scope;
  readonly imports: readonly {
    readonly entity: Entity;
    readonly name: { readonly text: string; readonly span: Entity["span"] };
  }[];
}

export function modulesOf(project: Project, shared: Shared): ReadonlyMap<string, Module> {
  const modules = new Map<string, Module>();
  const paths = [...project.files.keys()];
  // Imported files first: a file is declared after everything it imports.
  const order: string[] = [];
  const visit = (path: string): void => {
    if (order.includes(path)) return;
    for (const next of project.files.get(path)?.imports ?? []) if (next.path !== null) visit(next.path);
    if (!order.includes(path)) order.push(path);
  };
  for (const path of paths) visit(path);
  for (const path of order) {
    const loaded = project.files.get(path);
    if (loaded !== undefined) modules.set(path, declareModule(loaded, modules, shared));
  }
  return modules;
}

function declareModule(loaded: LoadedFile, modules: ReadonlyMap<string, Module>, shared: Shared): Module {
  const { recorder } = shared;
  const names = new Map<string, Entity>();
  const imports: { entity: Entity; name: { text: string; span: Entity["span"] } }[] = [];
  for (const { node, path } of loaded.imports) {
    const target = path === null ? undefined : modules.get(path);
    for (const name of node.names) {
      if (name.text === "") continue;
      const found = target?.loaded.file.declarations.some(
        (d) => "name" in d && d.kind !== "law" && d.name.text === name.text,
      )
        ? target.scope.names.get(name.text)
        : undefined;
      const twice = names.get(name.text);
      if (twice !== undefined) {
        report(recorder, "DS0102", {
          title: `\`${name.text}\` is imported twice`,
          at: name.span,
          label: "imported again here",
          secondary: [
            {
              span: imports.find((i) => i.name.text === name.text)?.name.span ?? twice.span,
              text: "first imported here",
            },
          ],
        });
        continue;
      }
      if (target !== undefined && found === undefined) {
        const candidates = target.loaded.file.declarations.flatMap((d) =>
          "name" in d && d.kind !== "law" ? [d.name.text] : [],
        );
        const near = closest(name.text, candidates);
        report(recorder, "DS0104", {
          title: `\`${name.text}\` is not declared in "${node.from.value}"`,
          at: name.span,
          label: "nothing of this name is declared there",
          help:
            near === null
              ? candidates.length > 0 && candidates.length < 12
                ? `it declares ${candidates.join(", ")}`
                : null
              : `did you mean \`${near}\`?`,
          fix: near === null ? null : { title: `Change to ${near}`, span: name.span, replacement: near },
        });
      }
      const entity: Entity = found === undefined ? brokenEntity(name) : { ...found, uses: 0 };
      if (found !== undefined) addReference(recorder, name.span, found.symbol);
      names.set(name.text, entity);
      imports.push({ entity, name });
    }
  }
  for (const decl of loaded.file.declarations) {
    if (decl.kind === "schedule" || decl.name.text === "") continue;
    const detail = signatureText(decl);
    const known = names.get(decl.name.text);
    if (known !== undefined) {
      report(recorder, "DS0102", {
        title: `\`${decl.name.text}\` is defined twice`,
        at: decl.name.span,
        label: "defined again here",
        secondary: [
          { span: imports.find((i) => i.entity === known)?.name.span ?? known.span, text: "first defined here" },
        ],
        help: "nothing is redefined: give the second a name of its own",
      });
      continue;
    }
    const symbol = declareSymbol(recorder, {
      name: decl.name.text,
      kind: decl.kind,
      span: decl.name.span,
      scope: loaded.file.span,
      doc: decl.doc,
      detail,
    });
    names.set(decl.name.text, {
      kind: decl.kind,
      name: decl.name.text,
      span: decl.name.span,
      symbol,
      source: sourceOf(decl),
      state: "new",
      value: null,
      body: null,
      uses: 0,
    });
  }
  return { loaded, scope: { names, parent: null }, imports };
}

const sourceOf = (decl: Fn | Block | Model | Law): EntitySource =>
  decl.kind === "fn"
    ? { kind: "fn", decl }
    : decl.kind === "block"
      ? { kind: "block", decl }
      : decl.kind === "model"
        ? { kind: "model", decl }
        : { kind: "broken" };

const brokenEntity = (name: { readonly text: string; readonly span: Entity["span"] }): Entity => ({
  kind: "definition",
  name: name.text,
  span: name.span,
  symbol: -1,
  source: { kind: "broken" },
  state: "new",
  value: null,
  body: null,
  uses: 1,
});

/** The header as written: up to the body. */
function signatureText(decl: Fn | Block | Model | Law): string {
  const text = spanText(decl.span);
  const end = decl.kind === "fn" && decl.expression !== null ? text.indexOf("=") : text.indexOf("{");
  const head = (end < 0 ? text : text.slice(0, end)).replace(/\s+/g, " ").trim();
  return head.length > 300 ? `${head.slice(0, 299)}…` : head;
}
