"""Small neural networks: convolutions, pooling, attention, recurrent layers, training steps."""

import numpy as np


def relu(x):
    return np.maximum(x, 0)


def softmax(x):
    z = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return z / np.sum(z, axis=-1, keepdims=True)


def convolution(image, weights, bias):
    """A convolution layer: channels last, one output pixel at a time."""
    size = weights.shape[0]
    height, width = image.shape[0] - size + 1, image.shape[1] - size + 1
    out = np.empty((height, width, weights.shape[3]))
    for i in range(height):
        for j in range(width):
            window = image[i : i + size, j : j + size, :]
            out[i, j] = np.sum(window[:, :, :, None] * weights, axis=(0, 1, 2)) + bias
    return out


def convolution_loops(image, weights):
    """A convolution of one channel, with a loop for each index."""
    n, m = image.shape
    k = weights.shape[0]
    out = np.zeros((n - k + 1, m - k + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for a in range(k):
                for b in range(k):
                    out[i, j] += image[i + a, j + b] * weights[a, b]
    return out


def max_pool(x):
    """The largest of each block of two by two pixels."""
    out = np.empty((x.shape[0] // 2, x.shape[1] // 2, x.shape[2]))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.max(x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2], axis=(0, 1))
    return out


def mean_pool_loops(x, k):
    """Means of blocks of k by k pixels, with a loop for each index."""
    out = np.zeros((x.shape[0] // k, x.shape[1] // k))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = 0.0
            for a in range(i * k, (i + 1) * k):
                for b in range(j * k, (j + 1) * k):
                    total += x[a, b]
            out[i, j] = total / (k * k)
    return out


def convolutional_network(image, first, second, dense):
    """Two convolutions with pooling, and a dense layer: probabilities of classes."""
    x = max_pool(relu(convolution(image, first, np.zeros(first.shape[3]))))
    x = relu(convolution(x, second, np.zeros(second.shape[3])))
    return softmax(x.reshape(-1) @ dense)


def attention(q, k, v):
    """Causal attention, one query at a time."""
    n, d = q.shape
    out = np.zeros_like(v)
    for i in range(n):
        score = k[: i + 1] @ q[i] / np.sqrt(d)
        weight = np.exp(score - score.max())
        out[i] = (weight / weight.sum()) @ v[: i + 1]
    return out


def attention_heads(x, projections):
    """Heads with projections of their own, given as a list of triples, side by side."""
    parts = []
    for wq, wk, wv in projections:
        q, k, v = x @ wq, x @ wk, x @ wv
        parts.append(softmax(q @ k.T / np.sqrt(q.shape[1])) @ v)
    return np.concatenate(parts, axis=1)


def perceptron(layers, x):
    """Dense layers, given as a list of weights and biases."""
    for k, (W, b) in enumerate(layers):
        x = x @ W + b
        if k < len(layers) - 1:
            x = relu(x)
    return softmax(x)


def recurrent_network(inputs, W, U, b):
    """The states of a simple recurrent layer."""
    h = np.zeros(W.shape[0])
    states = np.zeros((len(inputs), len(h)))
    for t in range(len(inputs)):
        h = np.tanh(W @ h + U @ inputs[t] + b)
        states[t] = h
    return states


def gated_network(inputs, Wz, Uz, Wh, Uh):
    """The last state of a layer with one gate."""
    h = np.zeros(Wz.shape[0])
    for x in inputs:
        z = 1 / (1 + np.exp(-(Wz @ h + Uz @ x)))
        h = (1 - z) * h + z * np.tanh(Wh @ h + Uh @ x)
    return h


def momentum_steps(parameters, gradients, rate, steps):
    """Gradient steps with momentum, in place, on a list of arrays."""
    velocities = [np.zeros_like(p) for p in parameters]
    for _ in range(steps):
        for p, g, v in zip(parameters, gradients, velocities):
            v *= 0.9
            v += g + 0.01 * p
            p -= rate * v


def train_network(X, y, W1, W2, rate, steps):
    """A network with one hidden layer, trained in place; the loss by step."""
    losses = np.zeros(steps)
    for t in range(steps):
        hidden = np.tanh(X @ W1)
        error = hidden @ W2 - y
        losses[t] = np.mean(error**2)
        back = np.outer(error, W2) * (1 - hidden**2)
        W2 -= rate * (hidden.T @ error) / len(y)
        W1 -= rate * (X.T @ back) / len(y)
    return losses


def batch_normalization(x, gain, bias):
    """Normalized features, column by column, in place."""
    for j in range(x.shape[1]):
        mean = x[:, j].mean()
        spread = np.sqrt(((x[:, j] - mean) ** 2).mean() + 1e-5)
        x[:, j] = (x[:, j] - mean) / spread * gain[j] + bias[j]
    return x
