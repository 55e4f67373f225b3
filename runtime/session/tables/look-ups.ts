/** Rows of tables for the pieces of a call, asked for one piece ahead of the computing. */
import type { Phase, Program } from "../../artifact/program.ts";
import type { Piece } from "../../calls/choose-phase.ts";
import type { ModelDevice, SessionPlace } from "../../calls/model-device.ts";
import type { RowTable } from "./row-table.ts";

export interface LookupOrder {
  readonly device: ModelDevice;
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

  /** Of a piece, asked for now if it was not before: ahead of the call that waits for it, or nobody would compute. */
  ask(piece: number): Promise<LookedUp> {
    const known = this.#asked.get(piece);
    if (known !== undefined) return known;
    const asked = this.#fetch(piece);
    asked.catch(() => undefined); // whoever waits for it is told
    this.#asked.set(piece, asked);
    return asked;
  }

  async #fetch(piece: number): Promise<LookedUp> {
    const { device, tables, pieces, signal } = this.#order;
    const { program } = device.plan;
    const phase = program.phases[pieces[piece]?.phase ?? -1];
    const numbered = phase === undefined ? new Map<string, Int32Array>() : await this.#numbers(program, phase, piece);
    const rows = (phase?.lookups ?? []).map(async ({ input, table, rows: name }) => {
      const found = await tables[table]?.rows(numbered.get(name) ?? new Int32Array(0), signal);
      return [input, found ?? new Float32Array(0)] as const;
    });
    return new Map(await Promise.all(rows));
  }

  /** Plays the phases that number rows: all are asked for at once, so that none comes behind the call that waits for it. */
  async #numbers(program: Program, { lookups = [] }: Phase, piece: number): Promise<ReadonlyMap<string, Int32Array>> {
    const { device, ids, pieces, before, states } = this.#order;
    const from = pieces.slice(0, piece).reduce((n, p) => n + p.tokens, 0);
    const tokens = pieces[piece]?.tokens ?? 0;
    const names = [...new Set(lookups.map((l) => l.phase))];
    const played = names.map((name) => {
      const phase = program.phases.findIndex((p) => p.name === name);
      const wanted = lookups.filter((l) => l.phase === name).map((l) => l.rows);
      const inputs = [ids.subarray(from, from + tokens)];
      return device.run({ phase, tokens, inputs, before: before + from, states, wanted });
    });
    const out = new Map<string, Int32Array>();
    for (const results of await Promise.all(played))
      for (const [name, rows] of results) if (rows instanceof Int32Array) out.set(name, rows);
    return out;
  }
}
