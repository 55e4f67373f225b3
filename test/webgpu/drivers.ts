/** The Vulkan drivers that run on a processor, where they are installed. Which subgroups they have is a matter of their vectors. */
import { Gpu } from "./gpu.ts";

/** Debian's chromium-common has the one; the other is made by .ci/lavapipe.sh and named by DSC_LAVAPIPE. */
export const swiftshader = process.env["DSC_SWIFTSHADER"] ?? "/usr/lib/chromium/vk_swiftshader_icd.json";
const lavapipe = process.env["DSC_LAVAPIPE"] ?? "";

/** By name; a text is why it cannot be had. `lanes`: of a subgroup, 4, 8 or 16. */
export const openSwiftshader = (): Promise<Gpu | string> => Gpu.open({ icd: swiftshader });
export const openLavapipe = (lanes: 4 | 8 | 16 = 8): Promise<Gpu | string> =>
  lavapipe === ""
    ? Promise.resolve("DSC_LAVAPIPE names no driver")
    : Gpu.open({ icd: lavapipe, environment: { LP_NATIVE_VECTOR_WIDTH: String(32 * lanes) } });
