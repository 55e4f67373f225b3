/** What plays programs of one kind: the part of loading that differs between targets. */
import type { Program } from "../artifact/program.ts";
import type { ModelDevice, PlayedProgram } from "../calls/model-device.ts";
import type { CallSizes } from "../calls/played-program.ts";
import type { Host } from "../session/host.ts";
import type { LoadOptions } from "./load-options.ts";
import type { GpuInfo, ModelInfo } from "./model.ts";
import type { PackageFiles } from "./read-package.ts";

export interface PlayerOrder {
  readonly files: PackageFiles;
  readonly host: Host;
  readonly options: LoadOptions;
  readonly sizes: CallSizes;
  /** As the package has it. */
  readonly program: Program;
}

export interface Player {
  /** Reads kernels and looks at the machine, before the checkpoint is opened. Throws DscError. */
  readonly prepare: (order: PlayerOrder) => Promise<PreparedPlayer>;
}
export interface PreparedPlayer {
  /** Where everything is to be: of the program, or of what is left of it without optional weights. Throws DscError. */
  readonly plan: (program: Program) => Promise<PlannedModel>;
}
export interface PlannedModel {
  readonly played: PlayedProgram;
  /** As far as it hangs on what plays the program. */
  readonly info: Pick<ModelInfo, "backend" | "threads" | "simd"> & {
    readonly memory: Omit<ModelInfo["memory"], "weights" | "constants">;
  };
  /** Takes the memory; weights are written by the caller. Throws DscError. */
  readonly open: () => Promise<{ readonly device: ModelDevice; readonly gpu: GpuInfo | null }>;
}
