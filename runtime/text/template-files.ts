/**
 * Which chat template a model's files hold: `chat_template.jinja` goes before `chat_template` of
 * `tokenizer_config.json`, which is one text or a list of named ones, as in `transformers`.
 */
import { asList, asObject, asString, field, readJson } from "./read-json.ts";
import { templateLimits as limits } from "./template-limits.ts";
import { TextError } from "./text-error.ts";
import { tokenizerLimits } from "./tokenizer-limits.ts";

export interface TemplateFiles {
  /** The text of `chat_template.jinja`. */
  readonly jinja?: string;
  /** The text of `tokenizer_config.json`. */
  readonly config?: string;
}

/** Templates by name; a single one is named `default`. Empty when the files have none. Throws {@link TextError}. */
export function readTemplates(files: TemplateFiles): ReadonlyMap<string, string> {
  if (files.jinja !== undefined) return new Map([["default", files.jinja]]);
  if (files.config === undefined) return new Map();
  const bounds = { maxLength: tokenizerLimits.configLength, maxDepth: tokenizerLimits.depth };
  const value = field(asObject(readJson(files.config, "tokenizer_config.json", bounds), "$"), "chat_template");
  if (value === undefined || value === null) return new Map();
  if (typeof value === "string") return new Map([["default", value]]);
  const list = asList(value, "$.chat_template");
  if (list.length > limits.templates) {
    throw new TextError("too-large", `more than ${limits.templates} templates`, { path: "$.chat_template" });
  }
  const templates = new Map<string, string>();
  for (const [i, item] of list.entries()) {
    const path = `$.chat_template[${i}]`;
    const entry = asObject(item, path);
    const name = asString(field(entry, "name"), `${path}.name`);
    if (templates.has(name)) throw new TextError("shape", "a second template of this name", { path: `${path}.name` });
    templates.set(name, asString(field(entry, "template"), `${path}.template`));
  }
  return templates;
}

export interface TemplateChoice {
  readonly name?: string;
  /** A request with tools takes the template `tool_use` where there is one and no name is given. */
  readonly withTools?: boolean;
}

/** Throws {@link TextError} `shape` when there is no such template. */
export function chooseTemplate(templates: ReadonlyMap<string, string>, choice: TemplateChoice = {}): string {
  const name = choice.name ?? (choice.withTools === true && templates.has("tool_use") ? "tool_use" : "default");
  const text = templates.get(name);
  if (text !== undefined) return text;
  const names = [...templates.keys()].map((known) => `\`${known.slice(0, 60)}\``).join(", ");
  throw new TextError(
    "shape",
    `no chat template \`${name}\`; ${names === "" ? "the files have none" : `there is ${names}`}`,
  );
}
