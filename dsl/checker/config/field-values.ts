/** Values of fields held against their declarations: type, length, choices. What doesn't fit is reported and not known. */
import { type Span, spanText } from "../../diagnostics/source.ts";
import { closest } from "../../diagnostics/suggest.ts";
import { jsonSpan } from "../json-source.ts";
import { type Recorder, report } from "../recorder.ts";
import { evaluateStatic, type Known, type StaticScope } from "../static.ts";
import { type Field, pathsOf } from "./fields.ts";
import { atPath, type ConfigFile, hasPath, membersOf } from "./json.ts";
import { checkType, choicesOf, describe, orList } from "./types.ts";

/** The value as its declared type asks; reports what is missing, null, or of another JSON type. */
export function coerce(
  name: string,
  value: Known,
  field: Field,
  { source, root }: ConfigFile,
  followsError: boolean,
  recorder: Recorder,
): Known {
  if (field.node.kind !== "field" || source === null) return value;
  const used = pathsOf(field);
  const nullable = field.type.nullable !== null;
  const place = (path: readonly string[]): readonly { span: Span; text: string }[] => {
    const span = jsonSpan(source, path);
    return span === null ? [] : [{ span, text: "the value here" }];
  };
  if (value === null || value === undefined) {
    if (value === null && nullable) return null;
    if (value === undefined && followsError) return undefined;
    const missing = used.find((p) => !hasPath(root, p.path));
    const explicit = used.find((p) => hasPath(root, p.path) && atPath(root, p.path) === null);
    if (explicit !== undefined && (missing === undefined || value === null)) {
      report(recorder, "DS0122", {
        title: `\`${explicit.path.join(".")}\` may not be null`,
        at: explicit.span,
        label: `\`${name}\` needs a value`,
        secondary: place(explicit.path),
        help: `write \`?? default\` for a default, or the type \`${spanText(field.type.span)}?\``,
      });
    } else if (missing !== undefined) {
      const members = membersOf(atPath(root, missing.path.slice(0, -1))) ?? {};
      const near = closest(missing.path.at(-1) ?? "", Object.keys(members));
      report(recorder, "DS0120", {
        title: `${source.path} has no field \`${missing.path.join(".")}\``,
        at: missing.span,
        label: `\`${name}\` reads it`,
        help: near === null ? null : `${source.path} has \`${near}\``,
      });
    }
    return undefined;
  }
  const wrong = (expected: string): Known => {
    const shown = used.find((p) => hasPath(root, p.path));
    report(recorder, "DS0121", {
      title: `\`${shown?.path.join(".") ?? name}\` is of the wrong type`,
      at: shown?.span ?? field.span,
      label: `${expected} is expected, here is ${describe(value)}`,
      secondary: shown === undefined ? [] : place(shown.path),
    });
    return undefined;
  };
  return checkType(value, field.type, wrong);
}

/** Lists at least as long as the axes of the type, where these are known: what is behind belongs to nobody. */
export function longEnough(
  value: Known,
  field: Field,
  scope: StaticScope,
  { source, root }: ConfigFile,
  recorder: Recorder,
): Known {
  if (field.node.kind !== "field") return value;
  const sizes = (field.type.axes ?? []).map(({ size, of }) => (of === null ? evaluateStatic(size, scope) : undefined));
  const wrong = shortList(value, sizes);
  if (wrong === null) return value;
  const path = pathsOf(field).find((p) => hasPath(root, p.path))?.path;
  const span = source === null || path === undefined ? null : jsonSpan(source, path);
  report(recorder, "DS0121", {
    title: `\`${path?.join(".") ?? field.name}\` is too short`,
    at: field.type.span,
    label: `a list of ${wrong.expected} is expected, here is one of ${wrong.found}`,
    secondary: span === null ? [] : [{ span, text: "the value here" }],
  });
  return undefined;
}

function shortList(
  value: Known,
  [size, ...rest]: readonly Known[],
): { readonly expected: bigint; readonly found: number } | null {
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== "list") return null;
  if (typeof size === "bigint" && BigInt(value.items.length) < size)
    return { expected: size, found: value.items.length };
  for (const item of value.items) {
    const inner = shortList(item, rest);
    if (inner !== null) return inner;
  }
  return null;
}

/** A text that is none of the declared choices asks for a feature that the model does not have. */
export function chosen(value: Known, field: Field, { source, root }: ConfigFile, recorder: Recorder): Known {
  const choices = choicesOf(field.type);
  if (choices === null || typeof value !== "string" || choices.includes(value)) return value;
  const path = pathsOf(field).find((p) => atPath(root, p.path) === value)?.path;
  const span = source === null || path === undefined ? null : jsonSpan(source, path);
  const near = closest(value, choices);
  report(recorder, "DS0124", {
    title: `this model does not have \`${path?.join(".") ?? field.name}\` ${describe(value)}`,
    at: field.type.span,
    label: `here ${field.name} = ${describe(value)}; it is ${orList(choices)}`,
    secondary: span === null ? [] : [{ span, text: `here ${describe(value)}` }],
    help: helpOf(near, field.node.doc),
  });
  return undefined;
}

/** What the text says of the field stands in the report: it may name the file that has the feature. */
const helpOf = (near: string | null, doc: string | null): string =>
  doc !== null
    ? doc.replace(/\s+/g, " ").trim()
    : near !== null
      ? `did you mean ${JSON.stringify(near)}?`
      : "another model file may describe this checkpoint";
