/** `dsc conform`: the conformance suite of a backend, run on this machine, as a table. */
import { loadMachine, machineNames } from "../../backends/registry.ts";
import { closest } from "../../dsl/diagnostics/suggest.ts";
import type { Machine } from "../conformance/machine.ts";
import { conformance } from "../conformance/suite.ts";
import type { Row } from "../driver/conformance.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { openGpu } from "./gpu/open-gpu.ts";
import { interruptible } from "./interrupt.ts";
import { runtimeFailure } from "./known-failures.ts";
import { SourceReader } from "./project.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure, type Terminal } from "./terminal.ts";

export async function runConform(line: CommandLine, { terminal, home }: Surroundings): Promise<ExitCode> {
  const backend = line.value("backend") ?? "wasm";
  const machine = await openMachine(backend);
  if (machine instanceof Failure) return reportFailure(terminal, machine);
  if (machine === null) {
    const near = closest(backend, machineNames);
    const hint = `${near === null ? "" : `did you mean \`${near}\`? `}there is ${machineNames.join(", ")}`;
    return reportFailure(
      terminal,
      new Failure(exitCodes.usage, `--backend ${backend}: there is no such backend`, hint),
    );
  }
  const only = line.value("only");
  const sources = new SourceReader(home.folder, terminal.cwd);
  const read = (path: string): string | null => sources.textIn({ root: home.folder, entry: "" }, path);
  return interruptible((signal) => {
    const rows = conformance(machine, { read, full: line.has("full"), signal, ...(only === null ? {} : { only }) });
    return reportRows(rows, { backend, signal, json: line.has("json"), terminal });
  });
}

/** Null where there is no such backend. */
async function openMachine(backend: string): Promise<Machine | Failure | null> {
  const told: { failure: Failure | null } = { failure: null };
  const gpu = async (): Promise<GPU> => {
    const found = await openGpu();
    if (!(found instanceof Failure)) return found;
    told.failure = found;
    throw new Error(found.message);
  };
  try {
    return await loadMachine(backend, gpu);
  } catch (error) {
    const failure = told.failure ?? runtimeFailure(error);
    if (failure === null) throw error;
    return failure;
  }
}

interface Reporting {
  readonly backend: string;
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Rows as they come, then how many of each outcome there were. */
export async function reportRows(
  rows: AsyncIterable<Row>,
  { backend, signal, json, terminal }: Reporting,
): Promise<ExitCode> {
  const seen: Row[] = [];
  const counts = new Map<Row["outcome"], number>();
  let interrupted = false;
  try {
    for await (const row of rows) {
      seen.push(row);
      counts.set(row.outcome, (counts.get(row.outcome) ?? 0) + 1);
      if (!json) terminal.out(rowText(row));
    }
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    interrupted = true;
  }
  if (json) terminal.out(`${JSON.stringify({ backend, rows: seen })}\n`);
  else terminal.out(`${summary(backend, seen.length, counts)}\n`);
  if (interrupted) return exitCodes.interrupted;
  if (seen.length === 0)
    return reportFailure(terminal, new Failure(exitCodes.usage, "nothing was run", "--only TEXT is part of a subject"));
  return (counts.get("failed") ?? 0) > 0 ? exitCodes.errorsFound : exitCodes.fine;
}

const marks: Readonly<Record<Row["outcome"], string>> = {
  passed: "ok  ",
  failed: "FAIL",
  unsupported: "none",
  skipped: "skip",
};

/** `ok    primitive  exp                f32      T=3 D=17        0.12 of the tolerance` */
function rowText({ outcome, kind, subject, dtype, sizes, error, note }: Row): string {
  const share = error === null ? "" : `${error.toPrecision(2)} of the tolerance`;
  const cells = [marks[outcome], kind.padEnd(9), subject.padEnd(32), dtype.padEnd(6), sizes.padEnd(20), share];
  return `${cells.join("  ").trimEnd()}\n${note === null ? "" : `      ${note.replaceAll("\n", "\n      ")}\n`}`;
}

function summary(backend: string, all: number, counts: ReadonlyMap<Row["outcome"], number>): string {
  const parts = [...counts].map(([outcome, count]) => `${count} ${outcome}`);
  return `${backend}: ${all} rows${parts.length === 0 ? "" : `, ${parts.join(", ")}`}`;
}
