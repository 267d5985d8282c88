"""Linear algebra as loops: products, factorizations, triangular and iterative solution, eigenvectors, sparse rows."""

import numpy as np


def matrix_product(A, B):
    """The product of two matrices, element by element."""
    n, m = A.shape
    k = B.shape[1]
    C = np.zeros((n, k))
    for i in range(n):
        for j in range(k):
            for p in range(m):
                C[i, j] += A[i, p] * B[p, j]
    return C


def general_update(alpha, beta, A, B, C):
    """C becomes beta C + alpha A B, row by row."""
    for i in range(C.shape[0]):
        C[i] *= beta
        for k in range(A.shape[1]):
            C[i] += alpha * A[i, k] * B[k]


def three_products(A, B, C):
    """The chain A B C with rows of the intermediate product made one at a time."""
    out = np.empty((A.shape[0], C.shape[1]))
    for i in range(A.shape[0]):
        row = A[i] @ B
        out[i] = row @ C
    return out


def atax(A, x):
    """A' (A x), one row of A at a time."""
    y = np.zeros(A.shape[1])
    for i in range(A.shape[0]):
        y += A[i] * (A[i] @ x)
    return y


def bicg(A, p, r):
    """A p and A' r in one sweep over the elements."""
    n, m = A.shape
    q, s = np.zeros(n), np.zeros(m)
    for i in range(n):
        for j in range(m):
            s[j] += r[i] * A[i, j]
            q[i] += A[i, j] * p[j]
    return q, s


def mvt(A, x1, x2, y1, y2):
    """Adds A y1 to x1 and A' y2 to x2."""
    n = A.shape[0]
    for i in range(n):
        for j in range(n):
            x1[i] = x1[i] + A[i, j] * y1[j]
    for i in range(n):
        for j in range(n):
            x2[i] = x2[i] + A[j, i] * y2[j]


def gemver(alpha, beta, A, u1, v1, u2, v2, y, z):
    """A rank-2 update of A in place, and products with it and its transpose."""
    n = A.shape[0]
    for i in range(n):
        A[i] += u1[i] * v1 + u2[i] * v2
    x = beta * (y @ A) + z
    w = np.zeros(n)
    for i in range(n):
        w[i] = alpha * (A[i] @ x)
    return x, w


def gesummv(alpha, beta, A, B, x):
    """alpha A x + beta B x, element by element."""
    n = A.shape[0]
    y = np.zeros(n)
    for i in range(n):
        first, second = 0.0, 0.0
        for j in range(n):
            first += A[i, j] * x[j]
            second += B[i, j] * x[j]
        y[i] = alpha * first + beta * second
    return y


def symmetric_update(alpha, beta, C, A):
    """The lower triangle of beta C + alpha A A', in place."""
    for i in range(A.shape[0]):
        C[i, : i + 1] *= beta
        for k in range(A.shape[1]):
            C[i, : i + 1] += alpha * A[i, k] * A[: i + 1, k]


def triangular_product(alpha, A, B):
    """B becomes alpha A' B for a unit lower triangular A."""
    n = A.shape[0]
    for i in range(n):
        for j in range(B.shape[1]):
            total = B[i, j]
            for k in range(i + 1, n):
                total += A[k, i] * B[k, j]
            B[i, j] = alpha * total


def cholesky(A):
    """The lower Cholesky factor of a positive definite matrix, row by row."""
    n = A.shape[0]
    L = np.zeros_like(A)
    for i in range(n):
        for j in range(i):
            L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
        L[i, i] = np.sqrt(A[i, i] - L[i, :i] @ L[i, :i])
    return L


def cholesky_in_place(A):
    """The Cholesky factor in the lower triangle of A, element by element."""
    n = A.shape[0]
    for j in range(n):
        for k in range(j):
            A[j, j] -= A[j, k] * A[j, k]
        A[j, j] = np.sqrt(A[j, j])
        for i in range(j + 1, n):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]


def lu_in_place(A):
    """L and U without pivoting, both in A."""
    n = A.shape[0]
    for i in range(n):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[k, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            for k in range(i):
                A[i, j] -= A[i, k] * A[k, j]


def lu_with_pivots(A):
    """L and U with partial pivoting in a copy of A, the order of its rows, and the sign of the permutation."""
    LU = A.copy()
    n = len(LU)
    order = np.arange(n)
    sign = 1.0
    for k in range(n - 1):
        pivot = k + np.argmax(np.abs(LU[k:, k]))
        if LU[pivot, k] == 0.0:
            raise ValueError("the matrix is singular")
        if pivot != k:
            LU[[k, pivot]] = LU[[pivot, k]]
            order[k], order[pivot] = order[pivot], order[k]
            sign = -sign
        LU[k + 1 :, k] /= LU[k, k]
        LU[k + 1 :, k + 1 :] -= LU[k + 1 :, k : k + 1] * LU[k, k + 1 :]
    return LU, order, sign


def gram_schmidt(A):
    """Q and R by the modified Gram-Schmidt process; A is used up."""
    m, n = A.shape
    Q, R = np.zeros((m, n)), np.zeros((n, n))
    for k in range(n):
        R[k, k] = np.sqrt(np.sum(A[:, k] * A[:, k]))
        Q[:, k] = A[:, k] / R[k, k]
        for j in range(k + 1, n):
            R[k, j] = Q[:, k] @ A[:, j]
            A[:, j] -= Q[:, k] * R[k, j]
    return Q, R


def householder(A):
    """R of a QR factorization, by reflections of a copy of A."""
    R = A.copy()
    m, n = R.shape
    for k in range(min(m - 1, n)):
        v = R[k:, k].copy()
        length = np.sqrt(v @ v)
        v[0] += length if v[0] >= 0 else -length
        square = v @ v
        if square > 0:
            R[k:, k:] -= np.outer(v, 2.0 / square * (v @ R[k:, k:]))
    return R


def solve_lower(L, b):
    """Forward substitution."""
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


def solve_upper(U, b):
    """Back substitution, element by element, from the last row up."""
    n = b.shape[0]
    x = b.copy()
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= U[i, j] * x[j]
        x[i] /= U[i, i]
    return x


def toeplitz_recursion(r):
    """Durbin's recursion for a symmetric Toeplitz matrix with ones on its diagonal."""
    n = len(r)
    y = np.zeros(n)
    alpha, beta = -r[0], 1.0
    y[0] = -r[0]
    for k in range(1, n):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(r[:k][::-1], y[:k])) / beta
        y[:k] += alpha * y[:k][::-1]
        y[k] = alpha
    return y


def solve_tridiagonal(below, diagonal, above, b):
    """Thomas's elimination."""
    n = len(b)
    c, d = np.zeros(n), np.zeros(n)
    c[0], d[0] = above[0] / diagonal[0], b[0] / diagonal[0]
    for i in range(1, n):
        pivot = diagonal[i] - below[i] * c[i - 1]
        c[i] = above[i] / pivot
        d[i] = (b[i] - below[i] * d[i - 1]) / pivot
    for i in range(n - 2, -1, -1):
        d[i] -= c[i] * d[i + 1]
    return d


def jacobi_iteration(A, b, steps):
    """A number of Jacobi's iterations for A x = b."""
    diagonal = np.diag(A)
    x = np.zeros_like(b)
    for _ in range(steps):
        x = (b - (A @ x - diagonal * x)) / diagonal
    return x


def gauss_seidel(A, b, tolerance):
    """Iterates until no element changes by more than the tolerance; the solution and the number of sweeps."""
    n = len(b)
    x = np.zeros(n)
    sweeps = 0
    while True:
        change = 0.0
        for i in range(n):
            new = (b[i] - A[i] @ x + A[i, i] * x[i]) / A[i, i]
            change = max(change, abs(new - x[i]))
            x[i] = new
        sweeps += 1
        if change < tolerance or sweeps == 500:
            break
    return x, sweeps


def conjugate_gradients(A, b, tolerance):
    """Solves A x = b for a positive definite matrix, until the residual is small."""
    x = np.zeros_like(b)
    r = b - A @ x
    p = r.copy()
    square = r @ r
    while np.sqrt(square) > tolerance:
        Ap = A @ p
        alpha = square / (p @ Ap)
        x += alpha * p
        r -= alpha * Ap
        new = r @ r
        p = r + new / square * p
        square = new
    return x


def power_iteration(A, tolerance, most):
    """The largest eigenvalue of a symmetric matrix, its vector, and the number of steps."""
    v = np.ones(A.shape[0]) / np.sqrt(A.shape[0])
    value, steps = 0.0, 0
    for _ in range(most):
        steps += 1
        w = A @ v
        new = v @ w
        v = w / np.linalg.norm(w)
        if abs(new - value) <= tolerance * abs(new):
            value = new
            break
        value = new
    return value, v, steps


def krylov_vectors(A, x, count):
    """The vectors x, A x, A A x, .., each of length one, as columns."""
    K = np.zeros((len(x), count))
    K[:, 0] = x / np.linalg.norm(x)
    for j in range(1, count):
        w = A @ K[:, j - 1]
        K[:, j] = w / np.linalg.norm(w)
    return K


def power_by_squaring(A, exponent):
    """A to an integer power."""
    result = np.eye(A.shape[0])
    while exponent > 0:
        if exponent % 2 == 1:
            result = result @ A
        A = A @ A
        exponent //= 2
    return result


def sparse_product(values, columns, starts, x):
    """A x for A in compressed rows."""
    n = len(starts) - 1
    y = np.zeros(n)
    for i in range(n):
        for k in range(starts[i], starts[i + 1]):
            y[i] += values[k] * x[columns[k]]
    return y


def sparse_rows(values, columns, starts, x):
    """A x for A in compressed rows, with slices of each row."""
    y = np.empty(len(starts) - 1)
    for i in range(len(starts) - 1):
        chosen = columns[starts[i] : starts[i + 1]]
        y[i] = values[starts[i] : starts[i + 1]] @ x[chosen]
    return y
