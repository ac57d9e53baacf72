"""Attacks on a network: small changes of the input that change the answer."""
