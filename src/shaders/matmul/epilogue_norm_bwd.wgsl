// Epilogue of a product that is the gradient of an RMS norm's output, n = x · rstd · gain: adds the gradient of x to y (rms_norm_bwd_dx.wgsl).
//   y[m,c] += rstd · (sum · gain[c] − x[m,c] · rstd² · Σ_j sum_j gain_j x_j / N)
// What reads the norm is h = n·Wᵀ without a bias, so the row's Σ_j sum_j gain_j x_j is Σ dh · h / rstd, and its parts are in `along` [M, G]. G is p.part:
// a loop of constant length would be unrolled, for 16 registers more.
//   y, x [M, N], stride ldy; rstd [M]; gain [N]. N is a multiple of 4.

@group(0) @binding(7) var<storage, read> x: array<vec4f>;
@group(0) @binding(8) var<storage, read> gain: array<vec4f>;
@group(0) @binding(9) var<storage, read> rstd: array<f32>;
@group(0) @binding(10) var<storage, read> along: array<f32>;

fn emit(row: u32, col: u32, part: u32, sum: vec4f) {
  let at = row * p.ldy + col / 4u;
  var of_row = 0.0;
  for (var i = 0u; i < p.part; i++) { of_row += along[row * p.part + i]; }
  let scale = rstd[row];
  keep(at, y[at] + scale * (sum * gain[col / 4u] - x[at] * (of_row * scale / f32(N))));
}
