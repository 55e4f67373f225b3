/** Names of nodes, and the frame of an expression that stands in no equation. */
import type { Equation, Frame } from "./context.ts";

/** `layer.attn` and `q` to `layer.attn.q`; empty parts say nothing. */
export const joinLabels = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join(".");
/** What the definition of an equation is called. */
export const labelIn = (eq: Equation): string => joinLabels(eq.frame.label, eq.label);
/** An expression of a frame without indices around it. */
export const outside = (frame: Frame, label = ""): Equation => ({ frame, label, indices: new Map(), all: [] });
