/** Which text of `models/` a recorded config is of, and the settings with which it computes what transformers does. */

const textOfType: ReadonlyMap<unknown, string> = new Map([
  ["deepseek", "deepseek-moe"],
  ["deepseek", "deepseek-moe"],
  ["deepseek_v2", "deepseek-v2"],
  ["deepseek_v3", "deepseek-v3"],
  ["deepseek_v32", "deepseek-v3.2"],
  ["engram", "engram-lm"],
]);

const typeOf = (config: string): unknown => JSON.parse(config).model_type;

/** The name of a file in `models/` without its ending; dense types have one text. */
export const textOf = (config: string): string => textOfType.get(typeOf(config)) ?? "deepseek-llm";

/** transformers' indexer neither transforms nor rounds; models without one have no such parameter. */
export const settingsOf = (config: string): ReadonlyMap<string, string> =>
  new Map(typeOf(config) === "deepseek_v32" ? [["exact", "true"]] : []);
