/** What finds, opens and asks tables whose rows are looked up: loaded where a program has some. */
import { Lookups } from "./look-ups.ts";
import { matchTables } from "./match-tables.ts";
import { openTables } from "./open-tables.ts";

export interface Tables {
  readonly match: typeof matchTables;
  readonly open: typeof openTables;
  readonly lookups: (...order: ConstructorParameters<typeof Lookups>) => Lookups;
}
export const tables: Tables = { match: matchTables, open: openTables, lookups: (order) => new Lookups(order) };
