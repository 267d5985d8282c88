"""Loops and branches on data: parts of a function's flow that become ops with Programs of their own."""
