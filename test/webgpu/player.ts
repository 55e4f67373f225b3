/** Packages for WebGPU, played in a process with Dawn on the driver that is asked for. */
import { type Dawn, type Driver, dawnOptions, startDawn } from "./gpu.ts";
import type { Deed, Done } from "./player-process.ts";

export class Player {
  readonly #dawn: Dawn<Deed>;
  private constructor(dawn: Dawn<Deed>) {
    this.#dawn = dawn;
  }

  /** A text is why it cannot be had. */
  static async open(driver: Driver | string): Promise<Player | string> {
    if (typeof driver === "string" && driver !== "null") return driver;
    const dawn = await startDawn<Deed>(driver as Driver, "./player-process.ts");
    if (typeof dawn === "string") return dawn;
    const { value } = (await dawn.ask({ kind: "start", options: dawnOptions(driver as Driver) })) as Done;
    if (value === true) return new Player(dawn);
    dawn.close();
    return "Dawn finds no adapter there";
  }

  /** What comes of it, errors included. */
  try(deed: Deed): Promise<Done> {
    return this.#dawn.ask(deed) as Promise<Done>;
  }

  /** What comes of it, where it has to succeed. */
  async do<T>(deed: Deed): Promise<T> {
    const { value, error } = await this.try(deed);
    if (error !== undefined) throw new Error(`${deed.kind}: ${error.name} ${String(error.code)}: ${error.message}`);
    return value as T;
  }

  close(): void {
    this.#dawn.close();
  }
}
