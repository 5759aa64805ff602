// For epilogues: nothing reads y, so that it has no binding.
fn keep(at: u32, value: V) {}
