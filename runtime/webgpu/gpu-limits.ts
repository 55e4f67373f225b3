/** What an adapter allows, as far as plans ask. */
export interface GpuLimits {
  /** Bytes of a storage binding, and of a buffer; multiples of 16. */
  readonly binding: number;
  readonly buffer: number;
}

export const limitsOf = (limits: GPUSupportedLimits): GpuLimits => ({
  binding: whole(limits.maxStorageBufferBindingSize),
  buffer: whole(limits.maxBufferSize),
});
/** Kernels count elements in i32, of two bytes or more. */
const most = 2 ** 32 - 16;
const whole = (bytes: number): number => Math.min(most, bytes - (bytes % 16));

/** Of what is more than that. */
export const remedies = {
  context: "load it with a smaller context",
  call: "load it with a smaller context or chunk",
  weight: "compile it with weights of fewer bits, or take an adapter with a larger limit",
} as const;
