/** Selections and sorts. */
import { reals, wholes } from "../seeded-values.ts";
import { type Given, remembering, type TextCase } from "./text-case.ts";

/** Equal keys, infinite ones and nans among others. */
const keys: Given = (n, count) => {
  if (n.type.dtype === "i32") return wholes(n.name, count, 5);
  const special = [0.5, 0.5, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e-40];
  const at = wholes(`${n.name} at`, count, 20);
  return reals(n.name, count).map((x, i) => special[at[i] ?? 0] ?? x);
};
export function selections(full: boolean): readonly TextCase[] {
  const made: TextCase[] = [];
  for (const N of full ? [8, 9, 40, 300] : [9, 40])
    for (const K of full ? [1, 2, 8, 33, 256] : [1, 8, 33])
      for (const guard of ["", " where n <= 3 * t"])
        if (K <= N)
          made.push({
            subject: `top_k${guard}`,
            sizes: { N, K },
            lines: ["%x : f32[T, N] = input", `%y : i32[T, K] = top_k [t] n: N${guard} by %x[t, n]`, "return %y"],
            given: keys,
          });
  made.push(
    {
      subject: "top_k of remembered rows",
      sizes: { K: 2 },
      lines: [
        "%x : f32[T] = input",
        "%z : f32[S0 + T] = input",
        "%y : i32[T, K] = top_k [t] s: S0 + T where s <= t + S0 by %z[s] * %x[t]",
        "return %y",
      ],
      calls: remembering,
    },
    ...["f32", "i32"].map(
      (dtype): TextCase => ({
        subject: `argsort of ${dtype}`,
        lines: [`%x : ${dtype}[T] = input`, "%y : i32[T] = argsort t: T by %x[t]", "return %y"],
        given: keys,
        calls: [1, 2, 7, 8, 9, 100, 300].map((T) => ({ T, S0: 0 })),
      }),
    ),
    {
      subject: "rows sorted by a key, and back",
      sizes: { D: 5 },
      lines: [
        "%x : f32[T, D] = input",
        "%p : i32[T] = argsort t: T by %x[t, 0]",
        "%q : i32[T] = argsort t: T by %p[t]",
        "%m : f32[T, D] = map [t, d] %x[%p[t], d] * 2",
        "%y : f32[T, D] = map [t, d] %m[%q[t], d]",
        "return %y",
      ],
    },
  );
  return made;
}
