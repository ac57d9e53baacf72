"""Wrong and unusual answers to the exercise `transfer`."""

import copy
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

#: What the mutants of the reference may do (see course_lib/assignments/mutants.py).
accepted = {
    ("Frozen", "shared state"): "What it shares are the registers of PyTorch, all of them empty.",
    ("Frozen.train", "ignores mode"): "The text speaks of the body's mode, not of its own.",
}

# What moves? --------------------------------------------------------------------------------------


@wrong(loses=["test-count_parameters-hidden"], says="it is one parameter, and counts there")
def counts_the_state_dict():
    """A state dict names a shared parameter twice, and buffers as well."""

    def count_parameters(model):
        table = {}
        for name, child in model.named_children():
            own = [w for key, w in child.state_dict(keep_vars=True).items() if "running" not in key]
            own = [w for w in own if isinstance(w, nn.Parameter)]
            table[name] = (
                sum(w.numel() for w in own if w.requires_grad),
                sum(w.numel() for w in own),
            )
        return table


@wrong(loses=["test-count_parameters-hidden"], says="it is one parameter, and counts there")
def counts_shared_parameters_twice():
    """parameters() of each child by itself knows nothing of the other children."""

    def count_parameters(model):
        return {
            name: (
                sum(w.numel() for w in child.parameters() if w.requires_grad),
                sum(w.numel() for w in child.parameters()),
            )
            for name, child in model.named_children()
        }


@wrong(loses=["test-count_parameters-hidden"], says="are buffers and no parameters")
def counts_buffers():
    """Running statistics look like parameters in the state dict."""

    def count_parameters(model):
        seen, table = set(), {}
        for name, child in model.named_children():
            own = [w for w in [*child.parameters(), *child.buffers()] if id(w) not in seen]
            seen.update(map(id, own))
            table[name] = (
                sum(w.numel() for w in own if w.requires_grad),
                sum(w.numel() for w in own),
            )
        return table


@wrong(loses=["test-count_parameters-hidden"], says="Children of children count with their child")
def counts_the_outer_layer_alone():
    """recurse=False looks at a child's own parameters."""

    def count_parameters(model):
        table = {}
        for name, child in model.named_children():
            own = list(child.parameters(recurse=False))
            table[name] = (
                sum(w.numel() for w in own if w.requires_grad),
                sum(w.numel() for w in own),
            )
        return table


@wrong(
    loses=["test-count_parameters", "test-count_parameters-hidden"],
    says="requires_grad says whether it moves",
)
def a_child_is_frozen_as_a_whole():
    """Looks at the first parameter of a child."""

    def count_parameters(model):
        seen, table = set(), {}
        for name, child in model.named_children():
            own = [w for w in child.parameters() if id(w) not in seen]
            seen.update(map(id, own))
            total = sum(w.numel() for w in own)
            table[name] = (total if own and own[0].requires_grad else 0, total)
        return table


@wrong(
    loses=["test-count_parameters", "test-count_parameters-hidden"],
    says="numel() counts the numbers",
)
def counts_tensors():
    """len of the list of parameters."""

    def count_parameters(model):
        return {
            name: (
                sum(w.requires_grad for w in child.parameters()),
                len(list(child.parameters())),
            )
            for name, child in model.named_children()
        }


# Frozen, and it stays so --------------------------------------------------------------------------


@wrong(loses=["test-Frozen", "test-Frozen-hidden"], says="whatever `mode` is")
def frozen_weights_in_training_mode():
    """requires_grad is all that freezing is."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body.requires_grad_(False)

        def forward(self, inputs):
            return self.body(inputs)


@wrong(loses=["test-Frozen", "test-Frozen-hidden"], says="whatever `mode` is")
def eval_once():
    """Evaluation mode in __init__, and the loop's model.train() ends it."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body.requires_grad_(False).eval()

        def forward(self, inputs):
            return self.body(inputs)


@wrong(loses=["test-Frozen-hidden"], says="from the start")
def awake_until_the_first_train():
    """train() puts the body to sleep, and nobody has called it yet."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body.requires_grad_(False)

        def forward(self, inputs):
            return self.body(inputs)

        def train(self, mode=True):
            super().train(mode)
            self.body.eval()
            return self


@wrong(loses=["test-Frozen", "test-Frozen-hidden"], says="requires_grad_(False)")
def asleep_but_learning():
    """Evaluation mode stops the statistics; the weights go on learning."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body.eval()

        def forward(self, inputs):
            return self.body(inputs)

        def train(self, mode=True):
            super().train(mode)
            self.body.eval()
            return self


@wrong(loses=["test-Frozen-hidden"], says="torch.no_grad")
def stops_gradients():
    """no_grad around the body: nothing before it can learn."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body.requires_grad_(False)
            self.train()

        def forward(self, inputs):
            with torch.no_grad():
                return self.body(inputs).requires_grad_(inputs.requires_grad)

        def train(self, mode=True):
            super().train(mode)
            self.body.eval()
            return self


@wrong(loses=["test-Frozen-hidden"], says="Keep the body itself")
def freezes_a_copy():
    """A copy is frozen, and the body that was given is not."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = copy.deepcopy(body).requires_grad_(False)
            self.train()

        def forward(self, inputs):
            return self.body(inputs)

        def train(self, mode=True):
            super().train(mode)
            self.body.eval()
            return self


@wrong(loses=["test-Frozen-hidden"], says="Evaluation mode from the start")
def asleep_on_the_outside():
    """The flag of the body alone: the modules in it keep theirs."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body.requires_grad_(False)
            self.train()

        def forward(self, inputs):
            return self.body(inputs)

        def train(self, mode=True):
            super().train(mode)
            self.body.training = False
            return self


@wrong(loses=["test-Frozen-hidden"], says="so that calls can be chained")
def train_forgets_to_return():
    """nn.Module.train returns the module."""

    class Frozen(nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body.requires_grad_(False).eval()

        def forward(self, inputs):
            return self.body(inputs)

        def train(self, mode=True):
            super().train(mode)
            self.body.eval()


@wrong(loses=["test-Frozen-hidden"], says="self.body")
def one_body_for_all():
    """The body in the class: the second takes the first one's place."""

    class Frozen(nn.Module):
        bodies = []

        def __init__(self, body):
            super().__init__()
            Frozen.bodies[:] = [body.requires_grad_(False).eval()]
            self.body = body

        def forward(self, inputs):
            return Frozen.bodies[0](inputs)

        def train(self, mode=True):
            super().train(mode)
            self.body.eval()
            return self


# A new head ---------------------------------------------------------------------------------------


@wrong(loses=["test-swap_head", "test-swap_head-hidden"], says="of the copy")
def swaps_in_place():
    """Works on the network that came."""

    def swap_head(model, classes, seed):
        torch.manual_seed(seed)
        old = model.head
        model.head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
        return model


@wrong(loses=["test-swap_head-hidden"], says="copy.copy copies the outside alone")
def shallow_copy():
    """A copy whose layers are those of the original."""

    def swap_head(model, classes, seed):
        new = copy.copy(model)
        new._modules = dict(model._modules)
        torch.manual_seed(seed)
        old = model.head
        new.head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
        return new


@wrong(loses=["test-swap_head-hidden"], says="the same type and device")
def head_in_float32():
    """A new layer is float32, and on the processor, whatever the network is."""

    def swap_head(model, classes, seed):
        model = copy.deepcopy(model)
        torch.manual_seed(seed)
        model.head = nn.Linear(
            model.head.in_features, classes, bias=model.head.bias is not None
        ).to(model.head.weight.device)
        return model


@wrong(loses=["test-swap_head-hidden"], says="a bias if there was one")
def always_a_bias():
    """nn.Linear has a bias by default."""

    def swap_head(model, classes, seed):
        model = copy.deepcopy(model)
        torch.manual_seed(seed)
        model.head = nn.Linear(model.head.in_features, classes).to(model.head.weight)
        return model


@wrong(loses=["test-swap_head-hidden"], says="right before the new layer is made")
def ignores_the_seed():
    """Every head is another one."""

    def swap_head(model, classes, seed):
        model = copy.deepcopy(model)
        old = model.head
        model.head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
        return model


@wrong(loses=["test-swap_head-hidden"], says="ready to learn")
def head_as_frozen_as_the_old_one():
    """Takes the old head's requires_grad over."""

    def swap_head(model, classes, seed):
        model = copy.deepcopy(model)
        torch.manual_seed(seed)
        old = model.head
        head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
        model.head = head.requires_grad_(old.weight.requires_grad)
        return model


@wrong(loses=["test-swap_head-hidden"], says="Copy the whole network")
def wakes_the_body():
    """Everything can learn, whatever was frozen before."""

    def swap_head(model, classes, seed):
        model = copy.deepcopy(model)
        old = model.head
        torch.manual_seed(seed)
        model.head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
        return model.requires_grad_(True)


@wrong(loses=["test-swap_head-hidden"], says="neither zeros nor rows of the old head")
def head_of_zeros():
    """Zeros are a neutral start."""

    def swap_head(model, classes, seed):
        model = copy.deepcopy(model)
        old = model.head
        torch.manual_seed(seed)
        model.head = nn.Linear(old.in_features, classes, bias=old.bias is not None).to(old.weight)
        nn.init.normal_(model.head.weight, std=1e-4)
        return model


# A rate for each layer ----------------------------------------------------------------------------


@wrong(
    loses=["test-layer_rates", "test-layer_rates-hidden"],
    says="The last layer has the full rate",
)
def rates_from_the_inputs():
    """The first layer gets the full rate."""

    def layer_rates(model, rate, decay):
        groups = []
        for child in [c for c in model.children() if list(c.parameters())]:
            moving = [w for w in child.parameters() if w.requires_grad]
            groups += [{"params": moving, "lr": rate}] if moving else []
            rate = rate * decay
        return groups


@wrong(loses=["test-layer_rates-hidden"], says="not children without parameters")
def counts_activations_as_layers():
    """A ReLU is a child, too."""

    def layer_rates(model, rate, decay):
        groups = []
        for depth, child in enumerate(reversed(list(model.children()))):
            moving = [w for w in child.parameters() if w.requires_grad]
            if moving:
                groups.append({"params": moving, "lr": rate * decay**depth})
        return groups


@wrong(loses=["test-layer_rates-hidden"], says="Leave out what needs no gradient")
def optimizer_holds_frozen_parameters():
    """All parameters of a child go into its group."""

    def layer_rates(model, rate, decay):
        groups = []
        for child in reversed([c for c in model.children() if list(c.parameters())]):
            groups.append({"params": list(child.parameters()), "lr": rate})
            rate = rate * decay
        return groups


@wrong(loses=["test-layer_rates-hidden"], says="frozen layers too")
def skips_frozen_layers():
    """A frozen layer is not counted, so those below it learn faster."""

    def layer_rates(model, rate, decay):
        groups = []
        for child in reversed(list(model.children())):
            moving = [w for w in child.parameters() if w.requires_grad]
            if moving:
                groups.append({"params": moving, "lr": rate})
                rate = rate * decay
        return groups


@wrong(loses=["test-layer_rates-hidden"], says="leave out groups without any")
def empty_groups():
    """A frozen layer has a group, with nothing in it."""

    def layer_rates(model, rate, decay):
        groups = []
        for child in reversed([c for c in model.children() if list(c.parameters())]):
            moving = [w for w in child.parameters() if w.requires_grad]
            groups.append({"params": moving, "lr": rate})
            rate = rate * decay
        return groups


@wrong(
    loses=["test-layer_rates", "test-layer_rates-hidden"],
    says="each one before it has half of the one behind it",
)
def decays_once():
    """Head and body: two rates, as in the chapter."""

    def layer_rates(model, rate, decay):
        *body, head = [c for c in model.children() if list(c.parameters())]
        groups = [{"params": [w for w in head.parameters() if w.requires_grad], "lr": rate}]
        low = [w for child in body for w in child.parameters() if w.requires_grad]
        return [g for g in [*groups, {"params": low, "lr": rate * decay}] if g["params"]]


@wrong(
    loses=["test-layer_rates", "test-layer_rates-hidden"], says="The last layer has the full rate"
)
def decays_before_the_head():
    """The head itself is already a step down."""

    def layer_rates(model, rate, decay):
        groups = []
        for child in reversed([c for c in model.children() if list(c.parameters())]):
            rate = rate * decay
            moving = [w for w in child.parameters() if w.requires_grad]
            groups += [{"params": moving, "lr": rate}] if moving else []
        return groups


@wrong(loses=["test-layer_rates-hidden"], says="biases, and those of batch normalization")
def linear_layers_alone():
    """Only the linear layers learn; batch normalization's scale is forgotten."""

    def layer_rates(model, rate, decay):
        groups = []
        for child in reversed([c for c in model.children() if list(c.parameters())]):
            linear = [m for m in child.modules() if isinstance(m, nn.Linear)]
            moving = [w for m in linear for w in m.parameters() if w.requires_grad]
            groups += [{"params": moving, "lr": rate}] if moving else []
            rate = rate * decay
        return groups


# A file that fits only in part --------------------------------------------------------------------


@wrong(
    loses=["test-load_matching", "test-load_matching-hidden"],
    says="raised RuntimeError",
)
def strict_false_is_enough():
    """strict=False forgives names, and never shapes."""

    def load_matching(model, state, prefix=""):
        found = {n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)}
        own = list(model.state_dict())
        missing, _ = model.load_state_dict(found, strict=False)
        if len(missing) == len(own):
            raise ValueError("nothing fits")
        return [n for n in own if n not in missing], list(missing)


@wrong(loses=["test-load_matching-hidden"], says="Buffers such as running_mean")
def parameters_alone():
    """named_parameters has no running statistics."""

    def load_matching(model, state, prefix=""):
        found = {n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)}
        own = dict(model.named_parameters())
        taken = [n for n, w in own.items() if n in found and found[n].shape == w.shape]
        if not taken:
            raise ValueError("nothing fits")
        with torch.no_grad():
            for name in taken:
                own[name].copy_(found[name])
        names = list(model.state_dict())
        buffers = [n for n in names if n not in own and n in found]
        return [n for n in names if n in taken or n in buffers], [
            n for n in names if n not in taken and n not in buffers
        ]


@wrong(loses=["test-load_matching-hidden"], says="an optimizer made before")
def new_parameters():
    """Replaces the parameters: an optimizer that was made before holds the old ones."""

    def load_matching(model, state, prefix=""):
        found = {n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)}
        own = model.state_dict()
        taken = [n for n in own if n in found and found[n].shape == own[n].shape]
        if not taken:
            raise ValueError("nothing fits")
        for name in taken:
            place, _, last = name.rpartition(".")
            module = model.get_submodule(place)
            value = found[name].clone().to(own[name])
            if isinstance(getattr(module, last), nn.Parameter):
                value = nn.Parameter(value)
            setattr(module, last, value)
        return taken, [n for n in own if n not in taken]


@wrong(loses=["test-load_matching-hidden"], says="do not keep the file's tensors")
def keeps_the_tensors_of_the_file():
    """assign=True is fast, and shares memory with the file's tensors."""

    def load_matching(model, state, prefix=""):
        found = {n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)}
        own = model.state_dict()
        taken = [n for n in own if n in found and found[n].shape == own[n].shape]
        if not taken:
            raise ValueError("nothing fits")
        slots = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        for name in taken:
            value = found[name]
            slots[name].data = value if value.dtype == own[name].dtype else value.to(own[name])
        return taken, [n for n in own if n not in taken]


@wrong(loses=["test-load_matching-hidden"], says="nobody would know")
def loads_nothing_in_silence():
    """No entry fits, and nobody hears of it."""

    def load_matching(model, state, prefix=""):
        found = {n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)}
        own = model.state_dict()
        taken = [n for n in own if n in found and found[n].shape == own[n].shape]
        with torch.no_grad():
            for name in taken:
                own[name].copy_(found[name])
        return taken, [n for n in own if n not in taken]


@wrong(loses=["test-load_matching-hidden"], says="does not begin with the prefix")
def removes_the_prefix_anywhere():
    """removeprefix leaves names without the prefix as they are, and they fit."""

    def load_matching(model, state, prefix=""):
        found = {n.removeprefix(prefix): v for n, v in state.items()}
        own = model.state_dict()
        taken = [n for n in own if n in found and found[n].shape == own[n].shape]
        if not taken:
            raise ValueError("nothing fits")
        with torch.no_grad():
            for name in taken:
                own[name].copy_(found[name])
        return taken, [n for n in own if n not in taken]


@wrong(loses=["test-load_matching-hidden"], says="What load_matching says it took and left")
def ignores_the_prefix():
    """The prefix is taken for a matter of taste."""

    def load_matching(model, state, prefix=""):
        own = model.state_dict()
        taken = [n for n in own if n in state and state[n].shape == own[n].shape]
        if not taken:
            raise ValueError("nothing fits")
        with torch.no_grad():
            for name in taken:
                own[name].copy_(state[name])
        return taken, [n for n in own if n not in taken]


@wrong(
    loses=["test-load_matching", "test-load_matching-hidden"],
    says="Two lists of the network's names",
)
def reports_the_names_of_the_file():
    """What was left of the file, in place of what was left of the network."""

    def load_matching(model, state, prefix=""):
        found = {n[len(prefix) :]: v for n, v in state.items() if n.startswith(prefix)}
        own = model.state_dict()
        taken = [n for n in own if n in found and found[n].shape == own[n].shape]
        if not taken:
            raise ValueError("nothing fits")
        with torch.no_grad():
            for name in taken:
                own[name].copy_(found[name])
        return taken, [n for n in found if n not in taken]


@wrong(loses=["test-load_matching-hidden"], says="you changed state")
def takes_out_of_the_file():
    """pop empties the dictionary that came."""

    def load_matching(model, state, prefix=""):
        own = model.state_dict()
        taken = []
        for name in own:
            key = prefix + name
            if key in state and state[key].shape == own[name].shape:
                with torch.no_grad():
                    own[name].copy_(state.pop(key) if prefix else state[key])
                taken.append(name)
        if not taken:
            raise ValueError("nothing fits")
        return taken, [n for n in own if n not in taken]


# The nearest mean ---------------------------------------------------------------------------------


@wrong(
    loses=["test-nearest_mean", "test-nearest_mean-hidden"],
    says="and not their places in a list",
)
def places_for_classes():
    """argmin is a place among the means."""

    def nearest_mean(features, labels, queries):
        classes = labels.unique()
        means = torch.stack([features[labels == k].mean(dim=0) for k in classes])
        return (queries[:, None] - means).square().sum(dim=2).argmin(dim=1)


@wrong(loses=["test-nearest_mean", "test-nearest_mean-hidden"], says="nearest_mean(")
def classes_from_zero():
    """range(k), as if classes had no gaps: means of nothing are nan."""

    def nearest_mean(features, labels, queries):
        means = torch.stack(
            [features[labels == k].mean(dim=0) for k in range(max(1, int(labels.max()) + 1))]
        )
        return (queries[:, None] - means).square().sum(dim=2).argmin(dim=1)


@wrong(loses=["test-nearest_mean-hidden"], says="not the nearest sample")
def nearest_sample():
    """One nearest neighbor."""

    def nearest_mean(features, labels, queries):
        order = labels.argsort(stable=True)
        distances = (queries[:, None] - features[order]).square().sum(dim=2)
        return labels[order][distances.argmin(dim=1)]


@wrong(loses=["test-nearest_mean-hidden"], says="(not the nearest sample, not the sum)")
def sums_for_means():
    """Forgets to divide by the number of samples."""

    def nearest_mean(features, labels, queries):
        classes = labels.unique()
        means = torch.stack([features[labels == k].sum(dim=0) for k in classes])
        return classes[(queries[:, None] - means).square().sum(dim=2).argmin(dim=1)]


@wrong(loses=["test-nearest_mean-hidden"], says="the Euclidean distance")
def sum_of_absolute_differences():
    """The city's distance."""

    def nearest_mean(features, labels, queries):
        classes = labels.unique()
        means = torch.stack([features[labels == k].mean(dim=0) for k in classes])
        return classes[(queries[:, None] - means).abs().sum(dim=2).argmin(dim=1)]


@wrong(loses=["test-nearest_mean", "test-nearest_mean-hidden"], says="nearest_mean(")
def largest_product():
    """The mean with the largest dot product: it favors long means."""

    def nearest_mean(features, labels, queries):
        classes = labels.unique()
        means = torch.stack([features[labels == k].mean(dim=0) for k in classes])
        return classes[(queries @ means.T).argmax(dim=1)]


@wrong(loses=["test-nearest_mean-hidden"], says="Of classes that are equally near, the smallest")
def order_of_appearance():
    """dict.fromkeys keeps the order of the samples, and ties go to the class that came first."""

    def nearest_mean(features, labels, queries):
        classes = torch.tensor(list(dict.fromkeys(labels.tolist())), device=labels.device)
        means = torch.stack([features[labels == k].mean(dim=0) for k in classes])
        return classes[(queries[:, None] - means).square().sum(dim=2).argmin(dim=1)]


@wrong(loses=["test-nearest_mean-hidden"], says="Subtract before squaring")
def squares_first():
    """|q|^2 - 2 q m + |m|^2 in float32 loses what is close."""

    def nearest_mean(features, labels, queries):
        classes = labels.unique()
        means = torch.stack([features[labels == k].mean(dim=0) for k in classes])
        squares = queries.square().sum(1)[:, None] + means.square().sum(1)
        return classes[(squares - 2 * queries @ means.T).argmin(dim=1)]


# Ready to train -----------------------------------------------------------------------------------


@wrong(
    loses=["test-prepare", "test-prepare-hidden"],
    says="it holds the tensors that it was given",
)
def head_after_the_optimizer():
    """The optimizer is made from the source's head, and then the head is replaced."""

    def prepare(source, classes, frozen, rate, decay, seed):
        model = copy.deepcopy(source).requires_grad_(True)
        for name, child in list(model.named_children())[:frozen]:
            setattr(model, name, Frozen(child))
        optimizer = torch.optim.Adam(layer_rates(model, rate, decay))
        model.head = swap_head(source, classes, seed).requires_grad_(True).head
        return model, optimizer


@wrong(loses=["test-prepare-hidden"], says="The optimizer comes last")
def frozen_after_the_optimizer():
    """The optimizer already holds what is frozen then."""

    def prepare(source, classes, frozen, rate, decay, seed):
        model = swap_head(source, classes, seed).requires_grad_(True)
        optimizer = torch.optim.Adam(layer_rates(model, rate, decay))
        for name, child in list(model.named_children())[:frozen]:
            setattr(model, name, Frozen(child))
        return model, optimizer


@wrong(loses=["test-prepare-hidden"], says="requires_grad_(True) wakes the copy")
def source_stays_frozen():
    """A source that came frozen is fine-tuned, and nothing but the head moves."""

    def prepare(source, classes, frozen, rate, decay, seed):
        model = swap_head(source, classes, seed)
        for name, child in list(model.named_children())[:frozen]:
            setattr(model, name, Frozen(child))
        return model, torch.optim.Adam(layer_rates(model, rate, decay))


@wrong(loses=["test-prepare-hidden"], says="weights and statistics stay")
def freezes_without_frozen():
    """requires_grad and eval once: the loop's model.train() wakes the statistics."""

    def prepare(source, classes, frozen, rate, decay, seed):
        model = swap_head(source, classes, seed).requires_grad_(True)
        model[:frozen].requires_grad_(False).eval()
        return model, torch.optim.Adam(layer_rates(model, rate, decay))


@wrong(loses=["test-prepare-hidden"], says="Hand the seed on")
def the_same_head_always():
    """The seed is not handed on."""

    def prepare(source, classes, frozen, rate, decay, seed):
        model = swap_head(source, classes, 0).requires_grad_(True)
        for name, child in list(model.named_children())[:frozen]:
            setattr(model, name, Frozen(child))
        return model, torch.optim.Adam(layer_rates(model, rate, decay))


@wrong(loses=["test-prepare-hidden"], says="Freeze the layers of the copy")
def freezes_the_source():
    """The layers of the source are frozen on the way."""

    def prepare(source, classes, frozen, rate, decay, seed):
        source[:frozen].requires_grad_(False)
        model = swap_head(source, classes, seed)
        model[frozen:].requires_grad_(True)
        for name, child in list(model.named_children())[:frozen]:
            setattr(model, name, Frozen(child))
        return model, torch.optim.Adam(layer_rates(model, rate, decay))


@wrong(loses=["test-prepare", "test-prepare-hidden"], says="Whether the optimizer holds parameters")
def one_frozen_too_many():
    """The slice ends one too late."""

    def prepare(source, classes, frozen, rate, decay, seed):
        model = swap_head(source, classes, seed).requires_grad_(True)
        for name, child in list(model.named_children())[: min(frozen + 1, len(model) - 1)]:
            setattr(model, name, Frozen(child))
        return model, torch.optim.Adam(layer_rates(model, rate, decay))


@wrong(loses=["test-prepare-hidden"], says="keeps a child's place and name")
def plain_gradient_descent():
    """Another optimizer than the one that was asked for."""

    def prepare(source, classes, frozen, rate, decay, seed):
        model = swap_head(source, classes, seed).requires_grad_(True)
        for name, child in list(model.named_children())[:frozen]:
            setattr(model, name, Frozen(child))
        return model, torch.optim.SGD(layer_rates(model, rate, decay))


# Right, in another way ----------------------------------------------------------------------------


@right
def counts_by_pointer():
    """Parameters by their memory, products of shapes, and noise on stderr."""

    def count_parameters(net):
        import math
        import sys

        counted, result = [], OrderedDict()
        for name in net._modules:
            moving = total = 0
            for module in net._modules[name].modules():
                for w in module._parameters.values():
                    if w is None or any(w is other for other in counted):
                        continue
                    counted.append(w)
                    total += math.prod(w.shape)
                    moving += math.prod(w.shape) if w.requires_grad else 0
            print(name, file=sys.stderr)
            result[name] = (moving, total)
        return result


@right
def frozen_by_an_empty_train():
    """train does nothing at all for the body, and eval mode was set before."""

    class Frozen(nn.Module):
        def __init__(self, net):
            super().__init__()
            for w in net.parameters():
                w.requires_grad = False
            net.eval()
            self.body = net

        def forward(self, x):
            return self.body.forward(x)

        def train(self, mode=True):
            self.training = mode
            return self


@right
def frozen_at_each_call():
    """Evaluation mode in train and once more in each forward pass."""

    class Frozen(torch.nn.Module):
        def __init__(self, body):
            super().__init__()
            self.body = body
            self.body.eval()
            for w in self.body.parameters():
                w.requires_grad_(False)

        def forward(self, inputs):
            self.body.eval()
            return self.body(inputs)

        def train(self, mode=True):
            for module in self.body.modules():
                module.training = False
            return self


@right
def head_made_where_it_belongs():
    """device= and dtype= in place of .to; the old head is left out of the copy."""

    def swap_head(net, k, seed):
        old = net.head
        new = copy.deepcopy(net)
        torch.manual_seed(seed)
        new.head = nn.Linear(
            old.weight.shape[1],
            k,
            bias=old.bias is not None,
            device=old.weight.device,
            dtype=old.weight.dtype,
        )
        return new


@right
def rates_by_powers():
    """Powers of decay over a list of layers, groups from the bottom up, tuples and generators."""

    def layer_rates(net, lr, factor):
        layers = [c for c in net.children() if any(True for _ in c.parameters())]
        groups = []
        for i, layer in enumerate(layers):
            params = tuple(filter(lambda w: w.requires_grad, layer.parameters()))
            if len(params) > 0:
                groups.append(dict(params=params, lr=lr * factor ** (len(layers) - 1 - i)))
        return groups


@right
def one_group_per_parameter():
    """A group for each single parameter, with its layer's rate."""

    def layer_rates(model, rate, decay):
        layers = [c for c in model.children() if list(c.parameters())][::-1]
        return [
            {"params": [w], "lr": rate * decay**depth, "name": f"{depth}"}
            for depth, layer in enumerate(layers)
            for w in layer.parameters()
            if w.requires_grad
        ]


@right
def loads_through_pytorch():
    """load_state_dict with what fits and the network's own for the rest."""

    def load_matching(net, file, prefix=""):
        own = net.state_dict()
        fits = {
            k: file[prefix + k]
            for k in own
            if prefix + k in file and file[prefix + k].size() == own[k].size()
        }
        if len(fits) == 0:
            raise ValueError("the file has nothing for this network")
        net.load_state_dict(fits, strict=False)
        return list(fits.keys()), list(filter(lambda k: k not in fits, own))


@right
def means_by_index_add():
    """Sums by index_add, distances by hypot of single differences, everything in float64."""

    def nearest_mean(features, labels, queries):
        classes, place = torch.unique(labels, return_inverse=True)
        sums = torch.zeros(
            len(classes), features.shape[1], dtype=torch.float64, device=features.device
        )
        sums.index_add_(0, place, features.double())
        means = sums / torch.bincount(place)[:, None]
        return classes[torch.linalg.norm(queries.double()[:, None] - means, dim=-1).argmin(-1)]


@right
def means_in_loops():
    """Python loops over queries and classes."""

    def nearest_mean(features, labels, queries):
        names = sorted(set(labels.tolist()))
        means = {k: features[labels == k].double().mean(0) for k in names}
        said = []
        for q in queries.double():
            best, least = None, float("inf")
            for k in names:
                far = float(((q - means[k]) ** 2).sum())
                if far < least:
                    best, least = k, far
            said.append(best)
        return labels.new_tensor(said)


@right
def means_in_numpy():
    """NumPy in between, with an empty class on the way, which warns."""

    def nearest_mean(features, labels, queries):
        f, y, q = (t.cpu().numpy() for t in (features.double(), labels, queries.double()))
        classes = np.arange(y.min(), y.max() + 1)
        means = np.array([f[y == k].mean(axis=0) for k in classes])
        far = ((q[:, None] - means) ** 2).sum(axis=2)
        far[np.isnan(far)] = np.inf
        return torch.as_tensor(classes[far.argmin(axis=1)], device=labels.device)


@right
def prepared_from_new_children():
    """A new Sequential from the children of the copy."""

    def prepare(net, k, frozen, rate, decay, seed):
        new = swap_head(net, k, seed)
        for w in new.parameters():
            w.requires_grad = True
        parts = OrderedDict()
        for i, (name, child) in enumerate(new.named_children()):
            parts[name] = Frozen(child) if i < frozen else child
        new = nn.Sequential(parts)
        return new, torch.optim.Adam(layer_rates(new, rate, decay), lr=rate)
