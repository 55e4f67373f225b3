/** A program as JSON that a person can page through and a diff can show: an item a line. */
import type { Program } from "../../runtime/artifact/program.ts";

/** Fields in the order of their declaration, as the program's maker has put them. */
export function programText(program: Program): string {
  const { phases, ...flat } = program;
  const fields = Object.entries(flat).map(([key, value]) => `${JSON.stringify(key)}: ${fieldText(value, "  ")}`);
  const parts = phases.map((phase) => {
    const inner = Object.entries(phase).map(([key, value]) => `${JSON.stringify(key)}: ${fieldText(value, "      ")}`);
    return `    {\n      ${inner.join(",\n      ")}\n    }`;
  });
  return `{\n  ${fields.join(",\n  ")},\n  "phases": [\n${parts.join(",\n")}\n  ]\n}\n`;
}

function fieldText(value: unknown, indent: string): string {
  if (!Array.isArray(value) || value.length === 0) return jsonText(value);
  const items = value.map((item) => `${indent}  ${jsonText(item)}`);
  return `[\n${items.join(",\n")}\n${indent}]`;
}

/** As `JSON.stringify`, but a zero keeps its sign. What JSON cannot hold would be read back as another program. */
function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${jsonText(field)}`).join(",")}}`;
  }
  if (typeof value !== "number") return JSON.stringify(value);
  if (!Number.isFinite(value)) throw new RangeError(`a program holds the number ${value}`);
  return Object.is(value, -0) ? "-0" : String(value);
}
