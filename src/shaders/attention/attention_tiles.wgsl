// In front of the attention kernels of family 'shared', which work on tiles of TILE queries × TILE keys.

const COLS = (LANES + 7u) / 8u;
const TILE = 32u;
// A row of 32 numbers is 8 vec4 and one of padding, against bank conflicts.
const PITCH = 9u;
