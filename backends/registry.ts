/** The backends there are, by name; what each is made of is loaded when it is asked for. */
import type { Backend } from "../compiler/driver/backend.ts";

const loaders: ReadonlyMap<string, () => Promise<Backend>> = new Map([
  ["reference", async () => (await import("./reference/reference-backend.ts")).referenceBackend],
]);

export const backendNames: readonly string[] = [...loaders.keys()];

/** Null where there is no such backend. */
export const loadBackend = async (name: string): Promise<Backend | null> => (await loaders.get(name)?.()) ?? null;
