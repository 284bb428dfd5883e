//! Matrix products: the one place that calls `gemm`, whose function is unsafe.

/// How a product is to be added to what is already there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    /// The output is overwritten.
    Fresh,
    /// The product is added to the output.
    Sum,
}

/// Computes `out = x · w` (or `out += x · w`), all row by row: `x` is `rows × inner`, `w` is `inner × cols`.
///
/// Single-threaded, and picks its instructions by asking the machine when it runs. A row of the output depends
/// on that row of `x` and on the shape alone, which is what makes pictures of one seed equal bit for bit as
/// long as callers keep to fixed shapes.
///
/// # Panics
/// If a slice does not have exactly the length its shape says.
pub(super) fn matmul(out: &mut [f32], x: &[f32], w: &[f32], (rows, inner, cols): (usize, usize, usize), into: Into) {
    assert_eq!(x.len(), rows * inner, "the left matrix has the shape it was said to have");
    assert_eq!(w.len(), inner * cols, "the right matrix has the shape it was said to have");
    assert_eq!(out.len(), rows * cols, "the output has the shape it was said to have");
    let (inner_stride, col_stride) = (stride(inner), stride(cols));
    // The transposed product outᵀ = wᵀ · xᵀ: its left side then runs along memory, so `gemm` need not repack
    // the weights for every call.
    #[expect(unsafe_code, reason = "gemm takes raw pointers; the asserts above are its whole contract")]
    // SAFETY: the three asserts guarantee that every element `pointer + i * row_stride + j * column_stride`
    // with i and j inside the shape lies inside its slice; `out` is borrowed exclusively, so it overlaps
    // neither input; f32 has no invalid values and all three slices are initialised.
    unsafe {
        gemm::gemm(
            cols,
            rows,
            inner,
            out.as_mut_ptr(),
            col_stride,
            1,
            into == Into::Sum,
            w.as_ptr(),
            col_stride,
            1,
            x.as_ptr(),
            inner_stride,
            1,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn stride(n: usize) -> isize {
    isize::try_from(n).expect("a slice is never longer than isize::MAX")
}
