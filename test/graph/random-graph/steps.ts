/** Which operation comes next, at random. */
import type { Node } from "../../../compiler/graph/node.ts";
import { add, call, mul, num, read } from "../../../compiler/graph/scalar.ts";
import { append, fold, selection, softmax } from "./attention.ts";
import { bodyOver } from "./expressions.ts";
import { idx, type Maker, type Scope, T } from "./maker.ts";
import { concatenation, contraction, elementwise, norm, reduction, rotary, shifted } from "./plain.ts";
import { experts, hash, sorted } from "./rows.ts";

export function step(make: Maker, scope: Scope): void {
  const push = (...nodes: readonly Node[]): void => void scope.pool.push(...nodes);
  switch (make.r.below(scope.layer === null ? 18 : 13)) {
    case 0:
      return push(elementwise(make, scope, make.any(scope)));
    case 1:
      return push(reduction(make, scope));
    case 2:
    case 3:
      return push(contraction(make, scope));
    case 4:
      return push(...concatenation(make, scope));
    case 5:
    case 6:
      return push(...softmax(make, scope));
    case 7:
      return push(...selection(make, scope));
    case 8:
      return push(norm(make, scope));
    case 9:
      return push(shifted(make, scope));
    case 10:
      return push(make.folds ? fold(make, scope) : norm(make, scope));
    case 11:
      return push(append(make, scope));
    case 12:
      return push(...experts(make, scope));
    case 13:
      return push(...sorted(make, scope));
    case 14:
      return push(hash(make));
    case 15:
      return push(...rotary(make, scope));
    default:
      return push(repeat(make, scope));
  }
}

function repeat(make: Maker, scope: Scope): Node {
  const init = make.rows(scope, T) ?? make.b.input("x", [T, "D"]);
  const count = 1 + make.r.below(3);
  const { carry, index } = make.b.loop("h", init.type);
  const layer = read(index, []);
  const inner: Scope = { pool: [...scope.pool, carry, carry, carry], effects: [], layer: { index: layer, count } };
  const steps = 1 + make.r.below(4);
  for (let i = 0; i < steps; i += 1) step(make, inner);
  const domain = make.over(carry);
  const gain = read(make.weight([count]), [layer]);
  const update = call("tanh", bodyOver(make, inner, domain));
  const body = make.b.map("h", domain, add(mul(num(0.5), read(carry, idx(domain))), mul(gain, update)));
  return make.b.repeat(make.label("out"), { count, init, carry, index, body, effects: inner.effects });
}
