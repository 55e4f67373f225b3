"""Makes the biases of the routers matter. They were needed while one expert would have taken all tokens; after that the
routers themselves learn to be even, the biases end up alike, and a backend that forgot them would write the same text.

So before the last steps some experts get higher scores than others, along the direction that all router inputs share, and
their biases take that back: what is chosen stays almost the same, and hangs on the biases from then on. Training undoes
part of it again: the biases of a layer, spread over about 0.13 to 0.27, were spread over 0.03 to 0.18 after 250 steps."""

import torch

from model import Mixture, Switches, TinySeek, Watched

MOST = 1.0  # added to the logit of the expert that gets most; taken from that of the one that gets least


@torch.no_grad()
def skew_routers(model: TinySeek, ids: torch.Tensor) -> None:
    """ids [B, T]: what the router inputs are measured with. The draft module is left alone."""
    for layer in model.model["layers"][: model.layers]:
        if not isinstance(layer.mlp, Mixture):
            continue
        router, inputs = layer.mlp.gate, []
        hook = router.register_forward_hook(lambda _part, given, _made: inputs.append(given[0]))  # noqa: B023
        model.hidden(ids, Switches(), Watched())
        hook.remove()
        mean = inputs[0].mean(0)
        scores = (inputs[0] @ router.weight.T).sigmoid()
        experts = len(router.weight)
        order = torch.randperm(experts, generator=torch.Generator().manual_seed(layer.mlp.layer))
        router.weight += torch.linspace(-MOST, MOST, experts)[order, None] * mean / mean.square().sum()
        router.e_score_correction_bias -= ((inputs[0] @ router.weight.T).sigmoid() - scores).mean(0)
