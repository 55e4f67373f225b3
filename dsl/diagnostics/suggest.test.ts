import { describe, expect, it } from "vitest";
import { closest, editDistance } from "./suggest.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["softmax", "softmax", 0],
    ["sofmax", "softmax", 1],
    ["sotfmax", "softmax", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3], // restricted: 2 would need an edit inside a swap
  ])("%s -> %s is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe("closest", () => {
  it("finds slips, swaps and left-out letters", () => {
    expect(closest("sofmax", ["exp", "softmax", "softplus"])).toBe("softmax");
    expect(closest("rms_nrom", ["rms_norm", "layer_norm"])).toBe("rms_norm");
    expect(closest("q_lora_rnak", ["kv_lora_rank", "q_lora_rank"])).toBe("q_lora_rank");
    expect(closest("norm_rms", ["layer_norm", "rms_norm"])).toBe("rms_norm");
  });

  it("is silent when nothing is near", () => {
    expect(closest("expert", ["latent", "norm"])).toBeNull();
    expect(closest("x", ["y", "z"])).toBeNull();
    expect(closest("eps", ["gain", "pos_of"])).toBeNull();
    expect(closest("x", [])).toBeNull();
  });

  it("ignores case, and prefers the exact case among equals", () => {
    expect(closest("d", ["D", "E"])).toBe("D");
    expect(closest("headS", ["HEADS", "heads"])).toBe("heads");
    expect(closest("Head", ["HEADS", "Heads"])).toBe("Heads");
  });

  it("does not depend on the order of the candidates", () => {
    const names = ["norm1", "norm2", "norm3"];
    expect(closest("norm", names)).toBe("norm1");
    expect(closest("norm", [...names].reverse())).toBe("norm1");
  });

  it("does not suggest the name itself", () => {
    expect(closest("heads", ["heads"])).toBeNull();
  });
});
