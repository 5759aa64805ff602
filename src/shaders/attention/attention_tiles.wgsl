// Comes before the attention kernels of family 'shared', which work on tiles of TILE queries × TILE keys.

const COLS = (LANES + 7u) / 8u;
const TILE = 32u;
// A row of 32 numbers takes 8 vec4s and one vec4 of padding, which avoids bank conflicts.
const PITCH = 9u;
