/** The meaning of kernels. */
export { type AnyData, type Data, newData } from "./interpret/memory.ts";
export { elementsOf, evaluateExtent, interpret, type RunOptions, type Touched } from "./interpret/run.ts";
