/** One table for all that runs kernels: a strategy's kernel for a target, sizes, inputs, and what must come out, in f64. */
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { attentionCases } from "./attention-cases.ts";
import { contractionCases } from "./contraction-cases.ts";
import { gemvCases } from "./gemv-cases.ts";
import { int8Cases } from "./int8-cases.ts";
import type { KernelCase } from "./kernel-case.ts";
import { mapCases } from "./map-cases.ts";
import { rowCases } from "./row-cases.ts";
import { selectionCases } from "./selection-cases.ts";
import { unitCases } from "./unit-cases.ts";

export const kernelCases = (t: KernelTarget): readonly KernelCase[] => [
  ...mapCases(t),
  ...rowCases(t),
  ...selectionCases(t),
  ...gemvCases(t),
  ...int8Cases(t),
  ...contractionCases(t),
  ...unitCases(t),
  ...attentionCases(t),
];
