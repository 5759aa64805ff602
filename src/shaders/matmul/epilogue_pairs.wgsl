// For epilogues: V is two neighbouring columns. Addresses of y count pairs, those of the bias elements.
alias V = vec2f;

fn begin(row: u32, col: u32) -> vec4f { return vec4f(); }

fn bias_pair(col: u32) -> vec2f { return load_bias(col, 2u).xy; }
