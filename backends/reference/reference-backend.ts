import type { Backend } from "../../compiler/driver/backend.ts";
import { bindWeights } from "./bind-weights.ts";
import { ReferenceSession } from "./session.ts";

/** Errors of a checkpoint or a call that does not fit the model: BindError. */
export const referenceBackend: Backend = {
  name: "reference",
  openSession: async (request) => {
    const weights = await bindWeights(request);
    const { elaborated, draft, token, before } = request;
    if (draft === undefined) return new ReferenceSession({ elaborated, weights, token, before });
    const all = await bindWeights({ ...request, elaborated: draft, known: weights });
    const drafting = new ReferenceSession({ elaborated: draft, weights: all, token, before });
    return new ReferenceSession({ elaborated, weights, token, before, draft: drafting });
  },
};
