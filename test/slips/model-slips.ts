import type { Slip } from "./slip.ts"; export const modelSlips: readonly Slip[] = [];
