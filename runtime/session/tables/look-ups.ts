/** Rows of tables for the pieces of a call, asked for one piece ahead of the computing. */
import type { Phase, Program } from "../../artifact/program.ts";
import type { Device } from "../../device/device.ts";
import type { SessionPlace } from "../../device/memories.ts";
import type { Piece } from "../choose-phase.ts";
import type { RowTable } from "./row-table.ts";

export interface LookupOrder {
  readonly device: Device;
  /** By number. */
  readonly tables: readonly RowTable[];
  readonly ids: Int32Array;
  readonly pieces: readonly Piece[];
  /** Rows that the session remembers before all of them. */
  readonly before: number;
  readonly states: SessionPlace;
  readonly signal: AbortSignal | undefined;
}

/** By the number of the phase's input. */
export type LookedUp = ReadonlyMap<number, Float32Array>;

export class Lookups {
  readonly #order: LookupOrder;
  readonly #asked = new Map<number, Promise<LookedUp>>();
  constructor(order: LookupOrder) {
    this.#order = order;
  }

  /** Of a piece, asked for now if it was not before. Nobody may be computing. */
  ask(piece: number): Promise<LookedUp> {
    const known = this.#asked.get(piece);
    if (known !== undefined) return known;
    const asked = this.#fetch(piece);
    asked.catch(() => undefined); // whoever waits for it is told
    this.#asked.set(piece, asked);
    return asked;
  }

  #fetch(piece: number): Promise<LookedUp> {
    const { device, tables, pieces, signal } = this.#order;
    const { program } = device.plan;
    const phase = program.phases[pieces[piece]?.phase ?? -1];
    const numbered = phase === undefined ? new Map<string, Int32Array>() : this.#numbers(program, phase, piece);
    const rows = (phase?.lookups ?? []).map(async ({ input, table, rows: name }) => {
      const found = await tables[table]?.rows(numbered.get(name) ?? new Int32Array(0), signal);
      return [input, found ?? new Float32Array(0)] as const;
    });
    return Promise.all(rows).then((found) => new Map(found));
  }

  /** Plays the phases that number rows. */
  #numbers(program: Program, { lookups = [] }: Phase, piece: number): ReadonlyMap<string, Int32Array> {
    const { device, ids, pieces, before, states } = this.#order;
    const from = pieces.slice(0, piece).reduce((n, p) => n + p.tokens, 0);
    const tokens = pieces[piece]?.tokens ?? 0;
    const out = new Map<string, Int32Array>();
    for (const name of new Set(lookups.map((l) => l.phase))) {
      const phase = program.phases.findIndex((p) => p.name === name);
      const inputs = [ids.subarray(from, from + tokens)];
      const results = device.run({ phase, tokens, inputs, before: before + from, states });
      for (const [i, output] of (program.phases[phase]?.outputs ?? []).entries()) {
        const rows = results[i];
        if (rows instanceof Int32Array) out.set(output.name, rows);
      }
    }
    return out;
  }
}
