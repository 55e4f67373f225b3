/** Options given as text, `--set name=value`. */
import { makeSource, type Span } from "../../diagnostics/source.ts";
import { closest } from "../../diagnostics/suggest.ts";
import { type Recorder, report } from "../recorder.ts";
import type { Known } from "../static.ts";
import type { Field } from "./fields.ts";
import { checkType, choicesOf, describe, orList } from "./types.ts";

export function readSettings(
  settings: ReadonlyMap<string, string>,
  fields: ReadonlyMap<string, Field>,
  recorder: Recorder,
): ReadonlyMap<string, Known> {
  const values = new Map<string, Known>();
  for (const [name, text] of settings) {
    const source = makeSource("--set", `${name}=${text}`);
    const field = fields.get(name);
    const whole: Span = { source, start: 0, end: name.length };
    if (field === undefined || field.node.kind !== "param") {
      const options = [...fields.values()].filter((f) => f.node.kind === "param").map((f) => f.name);
      const near = closest(name, options);
      report(recorder, "DS0241", {
        title: `the model has no option \`${name}\``,
        at: whole,
        label: field === undefined ? "no `param` of this name" : "this is a config field: change it in config.json",
        help:
          near !== null
            ? `did you mean \`${near}\`?`
            : options.length === 0
              ? "it has no options"
              : `its options: ${options.join(", ")}`,
      });
      continue;
    }
    const literal: Known =
      text === "true"
        ? true
        : text === "false"
          ? false
          : /^-?\d{1,40}$/.test(text)
            ? BigInt(text)
            : text !== "" && Number.isFinite(Number(text))
              ? Number(text)
              : text;
    const at: Span = { source, start: name.length + 1, end: source.text.length };
    const secondary = [{ span: field.span, text: "declared here" }];
    const fits = checkType(literal, field.type, (expected) => {
      report(recorder, "DS0227", {
        title: `option \`${name}\` is of the wrong type`,
        at,
        label: `${expected} is expected`,
        secondary,
      });
      return undefined;
    });
    const choices = choicesOf(field.type);
    if (choices !== null && typeof fits === "string" && !choices.includes(fits)) {
      const near = closest(fits, choices);
      report(recorder, "DS0219", {
        title: `${describe(fits)} is no choice of option \`${name}\``,
        at,
        label: `it is ${orList(choices)}`,
        secondary,
        help: near === null ? null : `did you mean ${JSON.stringify(near)}?`,
      });
    } else values.set(name, fits);
  }
  return values;
}
