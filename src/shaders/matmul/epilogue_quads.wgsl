// For epilogues: V is four neighbouring columns. Addresses of y count quads.
alias V = vec4f;

fn begin(row: u32, col: u32) -> vec4f { return vec4f(); }
