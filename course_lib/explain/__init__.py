"""Explanations of a network's answer: which parts of the input it stands on.

One method a module. Each takes a network, a batch of inputs and, for each of them, the class whose
logit is to be explained, and returns numbers in the shape of the inputs (or of a layer's maps).
None of them changes the network: it is asked in evaluation mode and left in the mode that it was
in, and its weights collect no gradients.
"""
