/** The Vulkan drivers that run on a processor, where they are installed. Which subgroups they have is a matter of their vectors. */
import { Gpu, type VulkanDriver } from "./gpu.ts";

/** Debian's chromium-common has the one; the other is made by .ci/lavapipe.sh and named by DSC_LAVAPIPE. */
export const swiftshader = process.env["DSC_SWIFTSHADER"] ?? "/usr/lib/chromium/vk_swiftshader_icd.json";
const lavapipe = process.env["DSC_LAVAPIPE"] ?? "";

/** `lanes`: of a subgroup, 4, 8 or 16. A text is why it cannot be had. */
export const swiftshaderDriver: VulkanDriver = { icd: swiftshader };
export const lavapipeDriver = (lanes: 4 | 8 | 16 = 8): VulkanDriver | string =>
  lavapipe === ""
    ? "DSC_LAVAPIPE names no driver"
    : { icd: lavapipe, environment: { LP_NATIVE_VECTOR_WIDTH: String(32 * lanes) } };

export const openSwiftshader = (): Promise<Gpu | string> => Gpu.open(swiftshaderDriver);
export async function openLavapipe(lanes: 4 | 8 | 16 = 8): Promise<Gpu | string> {
  const driver = lavapipeDriver(lanes);
  return typeof driver === "string" ? driver : Gpu.open(driver);
}
