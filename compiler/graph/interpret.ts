/** The f64 interpreter of the tensor graph: what every pass and backend is held to. */
export { type Prepared, prepare } from "./interpret/prepare.ts";
export type { RunOptions } from "./interpret/run-options.ts";
export { StateStore } from "./interpret/state-store.ts";
export { realsOf, type Tensor, tensor, wideTensor } from "./interpret/tensor.ts";
