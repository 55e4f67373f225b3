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
const whole = (bytes: number): number => bytes - (bytes % 16);
