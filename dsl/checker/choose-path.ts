/** Which of several paths known values leave. */
import type { Path } from "./paths.ts";
import { evaluateStatic, type StaticScope } from "./static.ts";

/** The first path of which no condition is known to be otherwise. */
export const firstNotRefuted = <P extends Pick<Path, "conditions">>(
  paths: readonly P[],
  scope: StaticScope,
): P | null =>
  paths.find(({ conditions }) =>
    conditions.every(({ expr, holds }) => {
      const value = evaluateStatic(expr, scope);
      return typeof value !== "boolean" || value === holds;
    }),
  ) ?? null;
