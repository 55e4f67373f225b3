/** Invariant 5: where lanes meet, all of them come. */
import type { Expr, Kernel, Stmt } from "./kernel.ts";
import type { Problems } from "./problem.ts";
import { isMeeting, someExpr } from "./walk.ts";

export function uniformityProblems(k: Kernel, problems: Problems): void {
  if (k.lanes === 1) return;
  const dependent = new Set(["lane", "subgroup_lane", "subgroup_id"]);
  const shared = new Set([...k.shared, ...k.buffers.filter((b) => b.access === "both")].map((s) => s.name));
  const depends = (e: Expr): boolean =>
    someExpr(
      e,
      (x) =>
        (x.kind === "name" && dependent.has(x.name)) ||
        (x.kind === "load" && (shared.has(x.from) || dependent.has(x.from))),
    );
  const report = (s: Stmt, uniform: boolean): void => {
    if (isMeeting(s) && !uniform)
      problems.report(5, `${s.kind}${s.kind === "reduce" ? ` ${s.name}` : ""} where lanes may go apart`);
  };
  const block = (body: readonly Stmt[], uniform: boolean, meet: typeof report): void => {
    for (const s of body) {
      meet(s, uniform);
      switch (s.kind) {
        case "let":
          if (depends(s.value)) dependent.add(s.name);
          break;
        case "store": // under a dependent condition some lanes keep what they had
          if (!uniform || depends(s.value)) dependent.add(s.to);
          break;
        case "reduce":
          if (s.width < k.lanes || s.how === "subgroup") dependent.add(s.name);
          break;
        case "loop": {
          const varies = depends(s.from) || depends(s.to);
          if (varies) dependent.add(s.name);
          block(s.body, uniform && !varies, meet);
          break;
        }
        case "if":
          block(s.body, uniform && !depends(s.cond), meet);
          break;
        case "reg":
        case "barrier":
        case "frag":
        case "frag_load":
        case "frag_store":
        case "mma":
        case "comment":
          break;
        default:
          s satisfies never;
      }
    }
  };
  // What one turn of a loop makes dependent, the next turn sees: until nothing is added.
  for (let before = -1; before !== dependent.size; ) {
    before = dependent.size;
    block(k.body, true, () => {});
  }
  block(k.body, true, report);
}
