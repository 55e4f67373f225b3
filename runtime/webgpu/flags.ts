/** Flags of the WebGPU specification, which has them as globals that Node lacks. */
export const usage = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
export const forReading = 1;
export const inCompute = 4;
