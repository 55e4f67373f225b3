/** Models of the repository elaborated for tests, with the config that stands beside them or one given. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Elaborated, elaborate } from "../../compiler/elaborate/elaborate.ts";
import type { Sizes } from "../../compiler/graph/dim.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

export function readProject(path: string): string | null {
  const file = path.startsWith("std/") ? `dsl/stdlib/${path.slice("std/".length)}` : path;
  try {
    return readFileSync(`${root}${file}`, "utf8");
  } catch {
    return null;
  }
}

/** The published config of V3.2; as one of V3 it has fields that nothing reads. */
export const publishedConfig = (entry = "models/deepseek-v3.2.ds"): Record<string, unknown> => ({
  ...JSON.parse(readFileSync(`${root}models/deepseek-v3.2.config.json`, "utf8")),
  model_type: entry === "models/deepseek-v3.ds" ? "deepseek_v3" : "deepseek_v32",
});

export interface ElaborateModel {
  /** `models/deepseek-v3.ds`, or a text of one's own. */
  readonly entry: string;
  readonly config: object;
  readonly read?: (path: string) => string | null;
  readonly settings?: Readonly<Record<string, string>>;
  readonly results?: readonly string[];
  readonly keep?: (path: string) => boolean;
}

export function elaborateModel(options: ElaborateModel): Elaborated {
  const checked = checkProject({
    entry: options.entry,
    read: options.read ?? readProject,
    config: { path: "config.json", text: JSON.stringify(options.config) },
    settings: new Map(Object.entries(options.settings ?? {})),
  });
  if (checked.bound === null || checked.diagnostics.some((d) => d.severity === "error"))
    throw new Error(checked.diagnostics.map((d) => `${d.code} ${d.title}: ${d.primary.text}`).join("\n"));
  return elaborate({
    model: checked.bound,
    declared: checked.declared,
    entry: "forward",
    ...(options.results === undefined ? {} : { results: options.results }),
    ...(options.keep === undefined ? {} : { keep: options.keep }),
  });
}

/** Numbers for all sizes of a graph: those of the config, and the two of a call. */
export function sizesOf(
  { graph }: Pick<Elaborated, "graph">,
  call: { readonly T: number; readonly S0: number },
): Sizes {
  const fixed = [...graph.sizes].flatMap(([name, { low, high }]) => (low === high ? [[name, low] as const] : []));
  return { ...Object.fromEntries(fixed), ...call };
}
