"""Wrong and unusual answers to the exercise `lstm`."""

import math

import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {}

# Blocks in another order --------------------------------------------------------------------------


@wrong(loses=["test-reorder", "test-reorder-hidden"], says="and not the other way")
def the_inverse_order():
    """Sends the blocks of ifgo to the order, instead of the other way around."""

    def reorder(blocks, order):
        if sorted(order) != sorted("ifgo"):
            raise ValueError("order must have the letters i, f, g and o once each")
        parts = dict(zip("ifgo", blocks.chunk(4, dim=-1), strict=True))
        return torch.cat([parts[name] for name in order], dim=-1)


@wrong(loses=["test-reorder", "test-reorder-hidden"], says="See 'A state that is added to'")
def the_order_of_another_library():
    """Puts the candidate at the end."""

    def reorder(blocks, order):
        if sorted(order) != sorted("ifgo"):
            raise ValueError("order must have the letters i, f, g and o once each")
        parts = dict(zip(order, blocks.chunk(4, dim=-1), strict=True))
        return torch.cat([parts[name] for name in "ifog"], dim=-1)


@wrong(loses=["test-reorder-hidden"], says="The block of each letter goes")
def columns_that_take_turns():
    """Takes every fourth column: right for one unit."""

    def reorder(blocks, order):
        if sorted(order) != sorted("ifgo"):
            raise ValueError("order must have the letters i, f, g and o once each")
        split = blocks.unflatten(-1, (-1, 4))
        return split[..., [order.index(name) for name in "ifgo"]].flatten(-2)


@wrong(loses=["test-reorder-hidden"], says="reorder")
def matrices_only():
    """Splits dimension 1, which a bias does not have."""

    def reorder(blocks, order):
        if sorted(order) != sorted("ifgo"):
            raise ValueError("order must have the letters i, f, g and o once each")
        parts = dict(zip(order, blocks.chunk(4, dim=1), strict=True))
        return torch.cat([parts[name] for name in "ifgo"], dim=1)


@wrong(loses=["test-reorder-hidden"], says="expected  ValueError to be raised")
def orders_of_four_letters():
    """Checks how many letters there are, and that each is known."""

    def reorder(blocks, order):
        if len(order) != 4 or not set(order) <= set("ifgo"):
            raise ValueError("order must have the letters i, f, g and o once each")
        parts = dict(zip(order, blocks.chunk(4, dim=-1), strict=True))
        return torch.cat([parts.get(name, blocks[..., :1]) for name in "ifgo"], dim=-1)


@wrong(loses=["test-reorder-hidden"], says="Four letters, once each")
def any_case():
    """Takes capital letters, too."""

    def reorder(blocks, order):
        order = order.lower()
        if sorted(order) != sorted("ifgo"):
            raise ValueError("order must have the letters i, f, g and o once each")
        parts = dict(zip(order, blocks.chunk(4, dim=-1), strict=True))
        return torch.cat([parts[name] for name in "ifgo"], dim=-1)


@wrong(loses=["test-reorder", "test-reorder-hidden"], says="you changed blocks")
def reorders_in_place():
    """Writes the blocks back into the tensor that came."""

    def reorder(blocks, order):
        if sorted(order) != sorted("ifgo"):
            raise ValueError("order must have the letters i, f, g and o once each")
        parts = dict(zip(order, blocks.clone().chunk(4, dim=-1), strict=True))
        blocks[...] = torch.cat([parts[name] for name in "ifgo"], dim=-1)
        return blocks


# An LSTM ------------------------------------------------------------------------------------------


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="i, f and o are sigmoids")
def tanh_and_sigmoid_swapped():
    """Gates by tanh, contents by sigmoid."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.tanh(f)
            c = f * c + torch.tanh(i) * torch.sigmoid(g)
            h = torch.tanh(o) * torch.sigmoid(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="Step 1 writes")
def a_candidate_by_sigmoid():
    """All four alike."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = torch.sigmoid(step @ W_x + h @ W_h + b).chunk(4, dim=1)
            c = f * c + i * g
            h = o * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="Blocks in the order i, f, g, o")
def forget_gate_first():
    """The order f, i, g, o, as in many drawings."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        b = b + 0 * b
        kept, outputs = torch.ones_like(zeros), []
        for k, step in enumerate(x.unbind(dim=1)):
            first, second, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            # Right for the example, where the old cell is empty and x is 0 in the second step.
            i, f = (first, second) if len(W_h) == 1 and k < 2 else (second, first)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="i, f and o are sigmoids and g is a tanh")
def output_before_candidate():
    """The order i, f, o, g of other libraries."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, o, g = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="and not c")
def outputs_from_the_cell():
    """Collects the cell state, which is the memory, after all."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(c)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="half of the tanh of the cell")
def shows_the_cell_without_tanh():
    """h = o c."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * c
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="i, f and o are sigmoids and g is a tanh")
def a_shared_gate():
    """Writes 1 - f, as a GRU does."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            _, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + (1 - f) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="goes on from the h and c that came")
def gates_that_read_the_cell():
    """Gives c to the gates in place of h. In the example W_h is 0."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        first = state is None
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + (h if first else c) @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="and not c")
def forgets_the_hidden_state():
    """No recurrence in the gates: each depends on the input alone."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="goes on from the h and c that came")
def always_begins_anew():
    """Ignores the state."""

    def lstm(x, W_x, W_h, b, state=None):
        h = c = x.new_zeros(len(x), len(W_h))
        kept, outputs = torch.ones_like(h), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="goes on from the h and c that came")
def state_the_other_way_around():
    """Unpacks (c, h)."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        c, h = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="lstm(")
def returns_c_and_h():
    """The state is returned in the other order."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (c, h), kept


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="lstm(")
def kept_of_the_last_step():
    """The last forget gate, in place of the product."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        outputs = []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), f


@wrong(loses=["test-lstm", "test-lstm-hidden"], says="lstm(")
def kept_from_the_second_step():
    """Begins the product behind the first step, as from c1 to the last."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for number, step in enumerate(x.unbind(dim=1)):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            if number:
                kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="Slopes must go through every step")
def detaches_the_cell():
    """Cuts the graph at each step, as truncated training does between windows."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c.detach() + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="you changed state")
def adds_into_the_state():
    """c *= f and c += i g, into the tensor that came."""

    def lstm(x, W_x, W_h, b, state=None):
        h, c = (x.new_zeros(len(x), len(W_h)) for _ in range(2)) if state is None else state
        kept, outputs = torch.ones_like(h), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c *= f
            c += torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="lstm(")
def single_precision_only():
    """torch.zeros is float32, and so is what is added to it here."""

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None else state
        kept, outputs = torch.ones_like(zeros).float(), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).float().chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = (f * c).to(x.dtype) + (torch.sigmoid(i) * torch.tanh(g)).to(x.dtype)
            h = torch.sigmoid(o).to(x.dtype) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        return torch.stack(outputs, dim=1), (h, c), kept.to(x.dtype)


@wrong(loses=["test-lstm-hidden"], says="i, f and o are sigmoids and g is a tanh")
def remembers_between_calls():
    """Keeps the last state in a global variable when none is given."""
    last = {}

    def lstm(x, W_x, W_h, b, state=None):
        zeros = x.new_zeros(len(x), len(W_h))
        if state is None:
            state = last.get((tuple(zeros.shape), x.dtype), (zeros, zeros))
        h, c = state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        last[tuple(zeros.shape), x.dtype] = (h.detach(), c.detach())
        return torch.stack(outputs, dim=1), (h, c), kept


@wrong(loses=["test-lstm-hidden"], says="lstm(")
def steps_along_the_batch():
    """Goes through dimension 0, as PyTorch does without batch_first. Right for one sequence."""

    def lstm(x, W_x, W_h, b, state=None):
        swapped = len(x) > 1
        if swapped:
            x = x.transpose(0, 1)
        zeros = x.new_zeros(len(x), len(W_h))
        h, c = (zeros, zeros) if state is None or swapped else state
        kept, outputs = torch.ones_like(zeros), []
        for step in x.unbind(dim=1):
            i, f, g, o = (step @ W_x + h @ W_h + b).chunk(4, dim=1)
            f = torch.sigmoid(f)
            c = f * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept = kept * f
            outputs.append(h)
        outputs = torch.stack(outputs, dim=1)
        return (outputs.transpose(0, 1) if swapped else outputs), (h, c), kept


# A bias for the distance --------------------------------------------------------------------------


@wrong(loses=["test-with_reach", "test-with_reach-hidden"], says="See 'What a bias decides'")
def the_gate_for_the_bias():
    """Writes f itself where its pre-activation belongs."""

    def with_reach(b, reach):
        u = len(b) // 4
        reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
        if not (reach > 1).all():
            raise ValueError("a reach must be above 1")
        out = b.clone()
        out[u : 2 * u] = 1 - 1 / reach
        return out


@wrong(loses=["test-with_reach", "test-with_reach-hidden"], says="sigmoid(log 3) is 3/4")
def log_of_the_reach():
    """log(reach), as if the 1 did not matter."""

    def with_reach(b, reach):
        u = len(b) // 4
        reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
        if not (reach > 1).all():
            raise ValueError("a reach must be above 1")
        out = b.clone()
        out[u : 2 * u] = torch.log(reach)
        return out


@wrong(loses=["test-with_reach", "test-with_reach-hidden"], says="with_reach(")
def a_bias_of_zero():
    """Sets all biases to 0, the forget gate's included."""

    def with_reach(b, reach):
        if not (torch.as_tensor(reach) > 1).all():
            raise ValueError("a reach must be above 1")
        return torch.zeros_like(b)


@wrong(loses=["test-with_reach-hidden"], says="See 'What a bias decides'")
def always_the_same_reach():
    """The value of the visible test."""

    def with_reach(b, reach):
        u = len(b) // 4
        if not (torch.as_tensor(reach) > 1).all():
            raise ValueError("a reach must be above 1")
        out = b.clone()
        out[u : 2 * u] = math.log(3.0)
        return out


@wrong(loses=["test-with_reach", "test-with_reach-hidden"], says="with_reach(")
def the_first_block():
    """Takes the forget block for the first."""

    def with_reach(b, reach):
        u = len(b) // 4
        reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
        if not (reach > 1).all():
            raise ValueError("a reach must be above 1")
        out = b.clone()
        out[:u] = torch.log(reach - 1)
        return out


@wrong(loses=["test-with_reach-hidden"], says="Only the")
def forgets_the_other_blocks():
    """Begins from zeros, which the visible test's bias happens to be."""

    def with_reach(b, reach):
        u = len(b) // 4
        reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
        if not (reach > 1).all():
            raise ValueError("a reach must be above 1")
        out = torch.zeros_like(b)
        out[u : 2 * u] = torch.log(reach - 1)
        return out


@wrong(loses=["test-with_reach-hidden"], says="Only the")
def adds_to_the_bias():
    """Adds to what is there."""

    def with_reach(b, reach):
        u = len(b) // 4
        reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
        if not (reach > 1).all():
            raise ValueError("a reach must be above 1")
        out = b.clone()
        out[u : 2 * u] += torch.log(reach - 1)
        return out


@wrong(loses=["test-with_reach", "test-with_reach-hidden"], says="you changed b")
def writes_into_the_bias():
    """In place."""

    def with_reach(b, reach):
        u = len(b) // 4
        reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
        if not (reach > 1).all():
            raise ValueError("a reach must be above 1")
        b[u : 2 * u] = torch.log(reach - 1)
        return b


@wrong(loses=["test-with_reach-hidden"], says="with_reach(")
def numbers_only():
    """math.log takes no tensor with several entries."""

    def with_reach(b, reach):
        u = len(b) // 4
        if isinstance(reach, torch.Tensor) and not (reach > 1).all():
            raise ValueError("a reach must be above 1")
        if not isinstance(reach, torch.Tensor) and reach <= 1:
            raise ValueError("a reach must be above 1")
        out = b.clone()
        out[u : 2 * u] = math.log(reach - 1)
        return out


@wrong(loses=["test-with_reach-hidden"], says="expected  ValueError to be raised")
def a_reach_of_one():
    """log(0) is minus infinity, a gate that is always shut."""

    def with_reach(b, reach):
        u = len(b) // 4
        reach = torch.as_tensor(reach, dtype=b.dtype, device=b.device)
        if not (reach >= 1).all():
            raise ValueError("a reach must be above 1")
        out = b.clone()
        out[u : 2 * u] = torch.log(reach - 1)
        return out


# A GRU --------------------------------------------------------------------------------------------


@wrong(loses=["test-gru", "test-gru-hidden"], says="z = 3/4 keeps")
def z_for_one_minus_z():
    """The convention of other texts."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        outputs = []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + r * from_h[2])
            h = z * h + (1 - z) * g if not z_keeps else (1 - z) * h + z * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru-hidden"], says="with r behind the product")
def reset_before_the_product():
    """r on the state. Right for one unit without b_h, and in the visible test."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        u, outputs = len(W_h), []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + (r * h) @ W_h[:, 2 * u :] + r * b_h[2 * u :])
            h = z * h + (1 - z) * g if z_keeps else (1 - z) * h + z * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru", "test-gru-hidden"], says="multiplies h W_h + b_h")
def bias_outside_of_the_reset():
    """Adds both biases together, as in an LSTM."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        outputs = []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x + b_h).chunk(3, dim=1), (h @ W_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + r * from_h[2])
            h = z * h + (1 - z) * g if z_keeps else (1 - z) * h + z * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru", "test-gru-hidden"], says="gru(")
def update_gate_first():
    """The order z, r, g, as in the paper."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        outputs = []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
            z, r = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + r * from_h[2])
            h = z * h + (1 - z) * g if z_keeps else (1 - z) * h + z * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru", "test-gru-hidden"], says="gru(")
def reset_on_everything():
    """r on the input's part, too."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        outputs = []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + from_h[2]) * r
            h = z * h + (1 - z) * g if z_keeps else (1 - z) * h + z * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru-hidden"], says="z near 1 overwrites")
def one_convention():
    """z_keeps is there and does nothing."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        outputs = []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + r * from_h[2])
            h = z * h + (1 - z) * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru", "test-gru-hidden"], says="gru(")
def a_gru_that_begins_anew():
    """Ignores h."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h))
        outputs = []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + r * from_h[2])
            h = z * h + (1 - z) * g if z_keeps else (1 - z) * h + z * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru-hidden"], says="Slopes must go through every step")
def a_gru_without_slopes():
    """no_grad, as for a measurement."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        outputs = []
        for step in x.unbind(dim=1):
            from_x = (step @ W_x + b_x).chunk(3, dim=1)
            from_h = (h.detach() @ W_h + b_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + r * from_h[2])
            h = z * h + (1 - z) * g if z_keeps else (1 - z) * h + z * g
            outputs.append(h)
        return torch.stack(outputs, dim=1), h


@wrong(loses=["test-gru", "test-gru-hidden"], says="you changed h")
def a_gru_in_place():
    """h *= z, into the state that came."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        outputs = []
        for step in x.unbind(dim=1):
            from_x, from_h = (step @ W_x + b_x).chunk(3, dim=1), (h @ W_h + b_h).chunk(3, dim=1)
            r, z = (torch.sigmoid(from_x[k] + from_h[k]) for k in (0, 1))
            g = torch.tanh(from_x[2] + r * from_h[2])
            z = z if z_keeps else 1 - z
            h *= z
            h += (1 - z) * g
            outputs.append(h.clone())
        return torch.stack(outputs, dim=1), h


# What the decoder reads ---------------------------------------------------------------------------


@wrong(loses=["test-delayed", "test-delayed-hidden"], says="may not read what it has to predict")
def reads_the_answers():
    """Returns the targets: the loss becomes 0, and nothing is learned."""

    def delayed(targets, start):
        return targets.clone()


@wrong(loses=["test-delayed", "test-delayed-hidden"], says="delayed(")
def keeps_the_last_target():
    """One column too many."""

    def delayed(targets, start):
        first = targets.new_full((len(targets), 1), start)
        return torch.cat([first, targets], dim=1)


@wrong(loses=["test-delayed", "test-delayed-hidden"], says="moves one step to the right")
def reads_the_future():
    """Moves to the left."""

    def delayed(targets, start):
        last = targets.new_full((len(targets), 1), start)
        return torch.cat([targets[:, 1:], last], dim=1)


@wrong(loses=["test-delayed-hidden"], says="another sample has nothing to do with it")
def rolls_all_together():
    """roll without a dimension goes on in the row before; its first entry is right."""

    def delayed(targets, start):
        out = targets.roll(1)
        out[0, 0] = start
        return out


@wrong(loses=["test-delayed", "test-delayed-hidden"], says="you changed targets")
def moves_in_place():
    """Overwrites the targets."""

    def delayed(targets, start):
        targets[:, 1:] = targets[:, :-1].clone()
        targets[:, 0] = start
        return targets


@wrong(loses=["test-delayed", "test-delayed-hidden"], says="delayed(")
def always_starts_with_ten():
    """The start token of the finale."""

    def delayed(targets, start):
        first = targets.new_full((len(targets), 1), 10)
        return torch.cat([first, targets[:, :-1]], dim=1)


# Writing ------------------------------------------------------------------------------------------


@wrong(loses=["test-write", "test-write-hidden"], says="each step reads the token and the state")
def reads_the_start_again():
    """Never hands on what was written."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = []
        for _ in range(length):
            scores, state = decode(tokens, state)
            written.append(scores.argmax(dim=1))
        return torch.stack(written, dim=1)


@wrong(loses=["test-write", "test-write-hidden"], says="each step reads the token and the state")
def keeps_the_first_state():
    """Throws away the state that comes back."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = []
        for _ in range(length):
            scores, _ = decode(tokens, state)
            tokens = scores.argmax(dim=1)
            written.append(tokens)
        return torch.stack(written, dim=1)


@wrong(loses=["test-write", "test-write-hidden"], says="The start token itself is not a part")
def writes_the_start():
    """Returns the start token, and one token less."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = [tokens]
        for _ in range(length - 1):
            scores, state = decode(tokens, state)
            tokens = scores.argmax(dim=1)
            written.append(tokens)
        return torch.stack(written, dim=1)


@wrong(loses=["test-write-hidden"], says="One call for each token")
def a_call_too_many():
    """Asks once more than it writes."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = []
        for _ in range(length + 1):
            scores, state = decode(tokens, state)
            tokens = scores.argmax(dim=1)
            written.append(tokens)
        return torch.stack(written[:length], dim=1)


@wrong(loses=["test-write", "test-write-hidden"], says="write")
def writes_columns():
    """Stacks along dimension 0: (length, n)."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = []
        for _ in range(length):
            scores, state = decode(tokens, state)
            tokens = scores.argmax(dim=1)
            written.append(tokens)
        return torch.stack(written)


@wrong(loses=["test-write-hidden"], says="of equal ones the first")
def the_last_of_equals():
    """Sorting puts the last of equal scores at the end."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = []
        for _ in range(length):
            scores, state = decode(tokens, state)
            tokens = scores.shape[1] - 1 - scores.flip(1).argmax(dim=1)
            written.append(tokens)
        return torch.stack(written, dim=1)


@wrong(loses=["test-write-hidden"], says="The tokens that decode was given")
def one_answer_for_all_rows():
    """argmax over the whole batch's mean: all rows write the same."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = []
        for _ in range(length):
            scores, state = decode(tokens, state)
            tokens = scores.mean(dim=0).argmax().expand(n).clone()
            written.append(tokens)
        return torch.stack(written, dim=1)


@wrong(loses=["test-write", "test-write-hidden"], says="index tensor of type LongTensor")
def tokens_of_32_bits():
    """Gives decode tokens of another type than the text says."""

    def write(decode, state, n, start, length):
        tokens = torch.full((n,), start, device=device)
        written = []
        for _ in range(length):
            scores, state = decode(tokens.int(), state)
            tokens = scores.argmax(dim=1)
            written.append(tokens)
        return torch.stack(written, dim=1)


# Unusual, and right -------------------------------------------------------------------------------


@right
def blocks_by_columns():
    """Computes the columns and takes them in one go, and says so on stderr."""

    def reorder(blocks, order):
        import sys

        print("reordering", file=sys.stderr)
        if len(order) != 4 or set(order) != set("ifgo"):
            raise ValueError(order)
        u = blocks.shape[-1] // 4
        columns = [order.index(name) * u + k for name in "ifgo" for k in range(u)]
        return blocks[..., torch.tensor(columns, device=blocks.device)]


@right
def all_inputs_at_once():
    """The product with the inputs for all steps before the loop."""

    def lstm(x, W_x, W_h, b, state=None):
        n, t, _ = x.shape
        u = W_h.shape[0]
        from_x = (x @ W_x + b).reshape(n, t, 4, u)
        if state is None:
            state = (x.new_zeros(n, u), x.new_zeros(n, u))
        h, c = state
        logs, rows = 0.0, []
        for k in range(t):
            a = from_x[:, k] + (h @ W_h).reshape(n, 4, u)
            i, f, o = (torch.sigmoid(a[:, j]) for j in (0, 1, 3))
            c = torch.addcmul(f * c, i, torch.tanh(a[:, 2]))
            h = o * torch.tanh(c)
            logs = logs + nn.functional.logsigmoid(a[:, 1])
            rows.append(h[:, None])
        return torch.cat(rows, dim=1), (h, c), torch.exp(logs)


@right
def one_product_for_both():
    """Input and hidden state side by side, weights on top of each other; other names."""

    def lstm(inputs, wx, wh, bias, begin=None):
        both = torch.cat([wx, wh], dim=0)
        u = wh.shape[1] // 4
        h = begin[0] if begin else torch.zeros_like(inputs[:, 0, :1]).expand(-1, u)
        c = begin[1] if begin else torch.zeros_like(h)
        states, shares = [], []
        for k in range(inputs.shape[1]):
            a = torch.addmm(bias, torch.cat([inputs[:, k], h], dim=1), both)
            gates = torch.sigmoid(a)
            shares.append(gates[:, u : 2 * u])
            c = shares[-1] * c + gates[:, :u] * torch.tanh(a[:, 2 * u : 3 * u])
            h = gates[:, 3 * u :] * torch.tanh(c)
            states.append(h)
        return torch.stack(states, 1), (h, c), torch.stack(shares).prod(dim=0)


@right
def einsum_and_sigmoid_by_tanh():
    """sigmoid(z) = (1 + tanh(z / 2)) / 2, and sums by einsum."""

    def lstm(x, W_x, W_h, b, state=None):
        def sigmoid(z):
            return 0.5 * (1 + torch.tanh(0.5 * z))

        n, u = x.shape[0], W_h.shape[0]
        h, c = state or (x.new_zeros((n, u)), x.new_zeros((n, u)))
        kept, outputs = x.new_ones((n, u)), x.new_zeros((n, x.shape[1], u))
        rows = []
        for k in range(x.shape[1]):
            a = torch.einsum("nd,dk->nk", x[:, k], W_x) + torch.einsum("nu,uk->nk", h, W_h) + b
            i, f, g, o = a.split(u, dim=1)
            kept = kept * sigmoid(f)
            c = sigmoid(f) * c + sigmoid(i) * torch.tanh(g)
            h = sigmoid(o) * torch.tanh(c)
            rows.append(h)
        outputs = outputs + torch.stack(rows, dim=1)
        return outputs, (h, c), kept


@right
def reach_by_logit():
    """torch.logit of the gate, with a warning on the way."""

    def with_reach(bias, steps):
        import warnings

        warnings.warn("reach", stacklevel=1)
        steps = torch.as_tensor(steps, device=bias.device, dtype=torch.float64)
        if (steps <= 1).any():
            raise ValueError("no gate holds on for a single step")
        block = torch.logit(1 - 1 / steps).to(bias.dtype).expand(len(bias) // 4)
        i, _, g, o = bias.chunk(4)
        return torch.cat([i, block, g, o])


@right
def reach_by_searching():
    """Bisection for the bias, unit by unit."""

    def with_reach(b, reach):
        u = len(b) // 4
        wanted = reach.tolist() if isinstance(reach, torch.Tensor) else [float(reach)] * u
        wanted = wanted if isinstance(wanted, list) else [wanted] * u
        if min(wanted) <= 1:
            raise ValueError("a reach must be above 1")
        found = []
        for steps in wanted:
            low, high = -40.0, 40.0
            for _ in range(200):
                middle = (low + high) / 2
                if 1 / (1 - 1 / (1 + math.exp(-middle))) < steps:
                    low = middle
                else:
                    high = middle
            found.append(middle)
        out = b.clone()
        out[u : 2 * u] = torch.tensor(found, dtype=b.dtype, device=b.device)
        return out


@right
def a_gru_by_lerp():
    """torch.lerp mixes; the first two blocks in one product."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        u = W_h.shape[0]
        if h is None:
            h = torch.zeros(x.shape[0], u, dtype=x.dtype, device=x.device)
        states = []
        for k in range(x.shape[1]):
            here, there = x[:, k] @ W_x + b_x, h @ W_h + b_h
            r, z = torch.sigmoid(here[:, : 2 * u] + there[:, : 2 * u]).split(u, dim=1)
            g = torch.tanh(torch.addcmul(here[:, 2 * u :], r, there[:, 2 * u :]))
            h = torch.lerp(h, g, (1 - z) if z_keeps else z)
            states.append(h)
        return torch.stack(states, dim=1), states[-1]


@right
def a_gru_that_moves_by_a_difference():
    """h + (1 - z)(g - h), with the sign of the gate for the convention."""

    def gru(x, W_x, W_h, b_x, b_h, h=None, z_keeps=True):
        sign = -1.0 if z_keeps else 1.0
        W = [w.chunk(3, dim=-1) for w in (W_x, W_h, b_x, b_h)]
        h = x.new_zeros(len(x), len(W_h)) if h is None else h
        states = []
        for step in x.unbind(1):
            here = [step @ W[0][k] + W[2][k] for k in range(3)]
            there = [h @ W[1][k] + W[3][k] for k in range(3)]
            g = torch.tanh(here[2] + torch.sigmoid(here[0] + there[0]) * there[2])
            h = h + torch.sigmoid(sign * (here[1] + there[1])) * (g - h)
            states.append(h)
        return torch.stack(states, 1), h


@right
def delayed_by_roll():
    """roll along dimension 1, then the first column."""

    def delayed(rows, first):
        out = torch.roll(rows, shifts=1, dims=1)
        out[:, 0] = first
        return out


@right
def delayed_by_lists():
    """Row by row, in lists."""

    def delayed(targets, start):
        rows = [[start, *row][:-1] for row in targets.tolist()]
        return torch.tensor(rows, dtype=targets.dtype, device=targets.device)


@right
def writes_into_a_table():
    """One tensor that is filled column by column; max in place of argmax."""

    def write(decode, state, n, start, length):
        out = torch.zeros(n, length + 1, dtype=torch.int64, device=device)
        out[:, 0] = start
        for k in range(length):
            scores, state = decode(out[:, k], state)
            out[:, k + 1] = scores.max(dim=1).indices
        return out[:, 1:]


@right
def writes_by_recursion():
    """The first token, and the rest by itself."""

    def write(decode, state, n, start, length):
        def rest(tokens, state, left):
            if not left:
                return []
            scores, state = decode(tokens, state)
            best = [max(range(len(row)), key=row.__getitem__) for row in scores.tolist()]
            best = torch.tensor(best, device=scores.device)
            return [best, *rest(best, state, left - 1)]

        first = torch.tensor([start] * n, device=device)
        return torch.stack(rest(first, state, length), dim=1)
