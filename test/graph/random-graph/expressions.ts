/** Bodies and guards of random nodes: small, smooth values. */
import type { Axis, Scalar } from "../../../compiler/graph/node.ts";
import { add, call, dimValue, mul, name, num } from "../../../compiler/graph/scalar.ts";
import type { ScalarFn } from "../../../compiler/ops/scalar-functions.ts";
import { type Maker, S, S0, type Scope, sub, T } from "./maker.ts";

export function smooth(make: Maker, e: Scalar): Scalar {
  const safe = add(mul(e, e), num(1));
  switch (make.r.below(10)) {
    case 0:
      return call("exp", call("tanh", e));
    case 1:
      return call("rsqrt", safe);
    case 2:
      return call("sin", e);
    case 3:
      return call("div", e, safe);
    case 4:
      return call("sqrt", safe);
    case 5:
      return call("log1p", call("abs", e));
    case 6:
      return call("erf", e);
    case 7:
      return call("div", e, add(num(1), call("exp", call("neg", call("tanh", e)))));
    case 8:
      return mul(e, num(make.r.pick([0.5, -0.25, 1.5, 1e-3])));
    default:
      return call("tanh", e);
  }
}

export function bodyOver(make: Maker, scope: Scope, domain: readonly Axis[], depth = 2): Scalar {
  if (depth === 0 || make.r.below(4) === 0) return make.readAt(make.any(scope, 0), domain);
  const a = (): Scalar => bodyOver(make, scope, domain, depth - 1);
  switch (make.r.below(6)) {
    case 0:
      return smooth(make, a());
    case 1:
      return call(make.r.pick<ScalarFn>(["maximum", "minimum"]), a(), a());
    case 2:
      return mul(call("tanh", a()), a());
    case 3: {
      const on = make.r.pick([...domain, null]);
      if (on === null) return add(a(), num(1));
      return call("select", call("lt", name(on.name), num(make.r.below(4))), a(), a());
    }
    case 4: {
      const e = a(); // the same object twice, as silu doubles its gate
      return mul(e, call("tanh", e));
    }
    default:
      return make.r.below(2) === 0 ? add(a(), a()) : sub(a(), a());
  }
}

/** A guard over `a`, which at index 0 holds for every row `t`. */
export function guardOver(make: Maker, a: Axis, t: Axis | null): Scalar | null {
  if (a.size.key === S.key && t?.size.key === T.key) {
    const causal = call("le", name(a.name), add(name(t.name), dimValue(S0)));
    return make.r.pick([
      causal,
      causal,
      call("and", causal, call("le", sub(add(name(t.name), dimValue(S0)), name(a.name)), num(3))),
    ]);
  }
  const even = call("eq", call("mod", name(a.name), num(2)), num(0));
  return make.r.pick([
    null,
    null,
    call("le", name(a.name), num(1)),
    call("lt", mul(num(2), name(a.name)), add(dimValue(a.size), num(1))),
    even,
  ]);
}
