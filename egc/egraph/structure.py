"""What is known of the structure of matrices, as tables that `facts` reads; it says what the words mean."""

IMPLIED = """
diagonal: symmetric lower_triangular upper_triangular
upper_triangular: upper_hessenberg
lower_triangular: lower_hessenberg
upper_hessenberg: two_below
lower_hessenberg: two_above
tridiagonal: upper_hessenberg lower_hessenberg pentadiagonal
pentadiagonal: two_below two_above
spd: psd nonsingular positive_diagonal
psd: symmetric
orthogonal: nonsingular
unitary: nonsingular
nonsingular: full_column_rank full_row_rank
permutation: orthogonal one_hot
identity: permutation diagonal spd unit_diagonal
unit_diagonal: positive_diagonal
"""

PAIRS = """
lower_triangular upper_triangular: diagonal
upper_hessenberg lower_hessenberg: tridiagonal
two_below two_above: pentadiagonal
psd nonsingular: spd
full_column_rank full_row_rank: nonsingular
lower_triangular positive_diagonal: nonsingular
upper_triangular positive_diagonal: nonsingular
"""
"""Two facts of one square matrix that imply a third."""

KEPT = """
(op-transpose x "(1, 0)"): symmetric psd spd diagonal orthogonal nonsingular permutation identity zero unit_diagonal
(op-transpose x "(1, 0)"): positive_diagonal antisymmetric
(op-inv x): symmetric spd diagonal orthogonal lower_triangular upper_triangular permutation identity
(op-negative x): symmetric diagonal orthogonal nonsingular lower_triangular upper_triangular zero
(op-negative x): antisymmetric
(op-negative x): upper_hessenberg lower_hessenberg two_below two_above
(op-negative x): full_column_rank full_row_rank
(op-matmul x y): diagonal orthogonal nonsingular lower_triangular upper_triangular permutation identity one_hot
(op-matmul x y): full_column_rank full_row_rank
(op-add x y): symmetric psd diagonal lower_triangular upper_triangular positive_diagonal zero
(op-add x y): upper_hessenberg lower_hessenberg two_below two_above
(op-add x y): antisymmetric
(op-subtract x y): antisymmetric
(op-subtract x y): symmetric diagonal lower_triangular upper_triangular zero
(op-subtract x y): upper_hessenberg lower_hessenberg two_below two_above
(op-multiply x y): symmetric
"""
"""Facts that a term has where all its operands have them."""

SCALED = """
any: symmetric antisymmetric diagonal lower_triangular upper_triangular zero upper_hessenberg lower_hessenberg two_below two_above
nonzero: nonsingular full_column_rank full_row_rank
positive: spd positive_diagonal
nonnegative: psd
"""
"""Facts that a matrix keeps when it is multiplied by a number of this sign, or divided by one."""

SCALED_ROWS = "diagonal", "lower_triangular", "upper_triangular"
"""Facts that a matrix keeps when its rows or columns are multiplied or divided by numbers: where those are no numbers, neither
is the diagonal."""

OF_ANY_NUMBERS = """
(op-transpose x "(1, 0)"): hermitian unitary
(op-inv x): hermitian unitary
(op-negative x): hermitian unitary
(op-conjugate x): hermitian unitary symmetric
(op-matmul x y): unitary
(op-add x y): hermitian
(op-subtract x y): hermitian
"""
"""As KEPT, for complex matrices too."""

TERMS = """
lower_triangular: (op-transpose x "(1, 0)") x upper_triangular
upper_triangular: (op-transpose x "(1, 0)") x lower_triangular
upper_hessenberg: (op-transpose x "(1, 0)") x lower_hessenberg
lower_hessenberg: (op-transpose x "(1, 0)") x upper_hessenberg
two_below: (op-transpose x "(1, 0)") x two_above
two_above: (op-transpose x "(1, 0)") x two_below
upper_hessenberg: (op-matmul x y) x upper_hessenberg y upper_triangular
upper_hessenberg: (op-matmul x y) x upper_triangular y upper_hessenberg
lower_hessenberg: (op-matmul x y) x lower_hessenberg y lower_triangular
lower_hessenberg: (op-matmul x y) x lower_triangular y lower_hessenberg
two_below: (op-matmul x y) x upper_hessenberg y upper_hessenberg
two_below: (op-matmul x y) x two_below y upper_triangular
two_below: (op-matmul x y) x upper_triangular y two_below
two_above: (op-matmul x y) x lower_hessenberg y lower_hessenberg
two_above: (op-matmul x y) x two_above y lower_triangular
two_above: (op-matmul x y) x lower_triangular y two_above
full_column_rank: (op-transpose x "(1, 0)") x full_row_rank
full_row_rank: (op-transpose x "(1, 0)") x full_column_rank
nonsingular: (op-inv x)
psd: (op-matmul (op-transpose x "(1, 0)") x)
psd: (op-matmul x (op-transpose x "(1, 0)"))
spd: (op-matmul (op-transpose x "(1, 0)") x) x full_column_rank
spd: (op-matmul x (op-transpose x "(1, 0)")) x full_row_rank
psd: (op-gram x t)
spd: (op-gram x "True") x full_column_rank
spd: (op-gram x "False") x full_row_rank
psd: (op-matmul (op-transpose x "(1, 0)") (op-matmul y x)) y psd
psd: (op-matmul (op-matmul (op-transpose x "(1, 0)") y) x) y psd
psd: (op-matmul x (op-matmul y (op-transpose x "(1, 0)"))) y psd
psd: (op-matmul (op-matmul x y) (op-transpose x "(1, 0)")) y psd
psd: (op-matmul (op-transpose x "(1, 0)") (op-divide x c)) ; (= c (op-broadcast v s "(0,)")) (is-positive v)
psd: (op-matmul (op-transpose x "(1, 0)") (op-multiply x c)) ; (= c (op-broadcast v s "(0,)")) (is-positive v)
psd: (op-matmul (op-transpose x "(1, 0)") (op-multiply c x)) ; (= c (op-broadcast v s "(0,)")) (is-positive v)
psd: (op-matmul (op-multiply x c) (op-transpose x "(1, 0)")) ; (= c (op-broadcast v s "(1,)")) (is-positive v)
psd: (op-matmul (op-multiply c x) (op-transpose x "(1, 0)")) ; (= c (op-broadcast v s "(1,)")) (is-positive v)
psd: (op-matmul (op-divide x c) (op-transpose x "(1, 0)")) ; (= c (op-broadcast v s "(1,)")) (is-positive v)
spd: (op-add x y) x spd y psd
spd: (op-add x y) x psd y spd
positive: (op-diagonal x "0" n) x positive_diagonal
diagonal: (op-diagonal_matrix x "0")
spd: (op-diagonal_matrix x "0") x positive ; (= (Shape1 n) (shape-of x))
psd: (op-diagonal_matrix x "0") x nonnegative ; (= (Shape1 n) (shape-of x))
nonsingular: (op-diagonal_matrix x "0") x nonzero ; (= (Shape1 n) (shape-of x))
identity: (op-diagonal_matrix c "0") ; (= c (op-constant 1.0 d (Shape1 n)))
zero: (op-constant 0.0 d (Shape2 n m))
lower_hessenberg: (op-diagonal_matrix x "1")
two_above: (op-diagonal_matrix x "2")
upper_hessenberg: (op-diagonal_matrix x "-1")
two_below: (op-diagonal_matrix x "-2")
upper_triangular: (op-diagonal_matrix x "1")
upper_triangular: (op-diagonal_matrix x "2")
lower_triangular: (op-diagonal_matrix x "-1")
lower_triangular: (op-diagonal_matrix x "-2")
lower_triangular: (op-tril x "0")
lower_triangular: (op-tril x "-1")
lower_hessenberg: (op-tril x "1")
two_above: (op-tril x "2")
upper_triangular: (op-triu x "0")
upper_triangular: (op-triu x "1")
upper_hessenberg: (op-triu x "-1")
two_below: (op-triu x "-2")
lower_triangular: (op-slice x (Shape2 "0" "0") s (Shape2 "1" "1")) x lower_triangular
lower_hessenberg: (op-slice x (Shape2 "0" "0") s (Shape2 "1" "1")) x lower_hessenberg
lower_hessenberg: (op-slice x (Shape2 "1" "0") s (Shape2 "1" "1")) x lower_triangular
two_above: (op-slice x (Shape2 "1" "0") s (Shape2 "1" "1")) x lower_hessenberg
upper_triangular: (op-slice x (Shape2 "0" "0") s (Shape2 "1" "1")) x upper_triangular
upper_triangular: (op-slice x (Shape2 "1" "0") s (Shape2 "1" "1")) x upper_hessenberg
upper_triangular: (op-reshape x (Shape2 k b)) x upper_triangular ; (= (Shape2 k a) (shape-of x))
lower_triangular: (op-reshape x (Shape2 k b)) x lower_triangular ; (= (Shape2 k a) (shape-of x))
orthogonal: (op-reshape x (Shape2 k b)) x orthogonal ; (= (Shape2 k a) (shape-of x))
lower_hessenberg: (op-triu x k) x lower_hessenberg
two_above: (op-triu x k) x two_above
upper_hessenberg: (op-tril x k) x upper_hessenberg
two_below: (op-tril x k) x two_below
upper_triangular: (op-tril x k) x upper_triangular
lower_triangular: (op-triu x k) x lower_triangular
unit_diagonal: (op-add (op-tril x "-1") y) y identity
unit_diagonal: (op-add (op-triu x "1") y) y identity
unit_diagonal: (op-add y (op-tril x "-1")) y identity
unit_diagonal: (op-add y (op-triu x "1")) y identity
one_hot: (op-gather-2 x p "(0,)" m) x identity
spd: (op-cholesky_inverse x)
antisymmetric: (op-subtract (op-broadcast x s "(0,)") (op-broadcast x s "(1,)"))
antisymmetric: (op-subtract (op-broadcast x s "(1,)") (op-broadcast x s "(0,)"))
antisymmetric: (op-subtract x (op-transpose x "(1, 0)"))
antisymmetric: (op-multiply x y) x antisymmetric y symmetric
antisymmetric: (op-multiply x y) x symmetric y antisymmetric
antisymmetric: (op-divide x y) x antisymmetric y symmetric
symmetric: (op-multiply x y) x antisymmetric y antisymmetric
symmetric: (op-power x c) x antisymmetric ; (= c (op-constant k d s)) (= (% k 2.0) 0.0)
symmetric: (op-absolute x) x antisymmetric
symmetric: (op-add x (op-transpose x "(1, 0)"))
symmetric: (op-add (op-broadcast x s "(0,)") (op-broadcast x s "(1,)"))
symmetric: (op-add (op-broadcast x s "(1,)") (op-broadcast x s "(0,)"))
symmetric: (op-multiply (op-broadcast x s "(0,)") (op-broadcast x s "(1,)"))
symmetric: (op-multiply (op-broadcast x s "(1,)") (op-broadcast x s "(0,)"))
antisymmetric: (op-subtract (op-broadcast x s "(0, 2)") (op-broadcast x s "(1, 2)"))
antisymmetric: (op-subtract (op-broadcast x s "(1, 2)") (op-broadcast x s "(0, 2)"))
symmetric: (op-broadcast x s "(2,)")
symmetric: (op-sum x "(2,)") x symmetric
symmetric: (op-broadcast z s "()") ; (= (Shape2 n n) (shape-of r))
symmetric: (op-constant k d (Shape2 n n))
symmetric: (op-constant k d (Shape3 n n m))
lower_triangular: (op-cholesky x "False")
upper_triangular: (op-cholesky x "True")
positive_diagonal: (op-cholesky x u)
nonsingular: (op-cholesky x u)
spd: (op-expm x) x symmetric ; (= (Shape2 n n) (shape-of r))
nonsingular: (op-expm x)
orthogonal: (op-item (op-qr x m) "0") ; (= (Shape2 n n) (shape-of r)) (!= m "'r'")
full_column_rank: (op-item (op-qr x "'reduced'") "0") x full_column_rank
upper_triangular: (op-item (op-qr x "'reduced'") "1")
upper_triangular: (op-item (op-qr x "'complete'") "1")
upper_triangular: (op-item (op-qr x "'r'") "0")
nonsingular: (op-item (op-qr x "'reduced'") "1") x full_column_rank
nonsingular: (op-item (op-qr x "'r'") "0") x full_column_rank
orthogonal: (op-item (op-eigh x l) "1")
orthogonal: (op-item (op-svd x f) "0") ; (= (Shape2 n n) (shape-of r))
orthogonal: (op-item (op-svd x f) "2") ; (= (Shape2 n n) (shape-of r))
"""
"""`fact: term premises ; further e-graph premises`; r is the term."""

OF_BLOCKS = ("spd", "psd", "symmetric")
"""Facts that the square blocks r on the diagonal of a matrix of four blocks have where the whole has them."""

BLOCKS = (
    '(op-concatenate-2 (op-concatenate-2 r b "1") (op-concatenate-2 c d "1") "0")',
    '(op-concatenate-2 (op-concatenate-2 a b "1") (op-concatenate-2 c r "1") "0")',
)

EQUAL = """
equal_rows: (op-broadcast x s "(1,)")
equal_columns: (op-broadcast x s "(0,)")
equal_rows: (op-broadcast x s "()")
equal_columns: (op-broadcast x s "()")
equal_rows: (op-constant c d (Shape2 n m))
equal_columns: (op-constant c d (Shape2 n m))
equal_rows: (op-transpose x "(1, 0)") x equal_columns
equal_columns: (op-transpose x "(1, 0)") x equal_rows
equal_rows: (op-matmul x y) x equal_rows ; (= (Shape2 n m) (shape-of r))
equal_columns: (op-matmul x y) y equal_columns ; (= (Shape2 n m) (shape-of r))
equal_rows: (op-slice x a b c) x equal_rows
equal_columns: (op-slice x a b c) x equal_columns
equal_rows: (op-cast x d) x equal_rows
equal_columns: (op-cast x d) x equal_columns
"""
"""As TERMS, for all dtypes. Elementwise ops keep both facts, too."""
