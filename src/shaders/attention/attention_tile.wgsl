// Comes before the attention kernels of family 'tiles': what they share. A workgroup of 128 invocations owns X = 64 rows (queries, or keys
// for dK and dV) of a head and walks the others, Y = 32 at a time. An invocation has 4 × 4 of the 64 × 32 products of a tile: rows 4·ty …,
// others 4·tx …. Operands come through workgroup memory in chunks of 32 elements of the head; then the tile of probabilities takes the place
// of the owner's rows, and the other's rows come again, by 32 columns of the result. 15 KiB at most.
// SOURCE_quad(at, quad) is the quad of a row of a buffer; past the head dim it is 0. RAGGED: 1 if 32 does not divide the head dim.

const X = 64u;
const Y = 32u;
const CHUNK = 32u;
const CHUNK_QUADS = CHUNK / 4u;
const PAD = 4u;   // keeps quads aligned

var<workgroup> tile_x: array<array<f32, X + PAD>, CHUNK>;
var<workgroup> tile_y: array<array<f32, CHUNK + PAD>, CHUNK>;

//#define stage_x(SOURCE, AT)
    // Chunk of the owner's rows, element by element of the head: two invocations a row, four quads each.
    //#repeat I 4
    {
      let quad = SOURCE_quad(AT, chunk + me % 2u + 2u * I);
      //#repeat E xyzw
      tile_x[(me % 2u + 2u * I) * 4u + E_AT][me / 2u] = quad.E;
      //#end
    }
    //#end
//#enddefine

//#define stage_y(SOURCE, AT)
    // The same of the others' rows: four invocations a row, two quads each.
    //#repeat I 2
    {
      let quad = SOURCE_quad(AT, chunk + me % 4u + 4u * I);
      //#repeat E xyzw
      tile_y[(me % 4u + 4u * I) * 4u + E_AT][me / 4u] = quad.E;
      //#end
    }
    //#end
//#enddefine

//#define products(TO)
    // TO0 … TO3 += products of rows 4·ty … and others 4·tx …, over the chunk.
    //#repeat K 32
    {
      let other = vec4f(tile_y[K][tx * 4u], tile_y[K][tx * 4u + 1u], tile_y[K][tx * 4u + 2u], tile_y[K][tx * 4u + 3u]);
      //#repeat I 4
      TO[I] = fma(vec4f(tile_x[K][ty * 4u + I]), other, TO[I]);
      //#end
    }
    //#end
//#enddefine

//#define keep_tile(FROM)
    // The tile of probabilities (or of their gradients), by other and row.
    //#repeat E xyzw
    //#repeat I 4
    tile_x[tx * 4u + E_AT][ty * 4u + I] = FROM[I].E;
    //#end
    //#end
//#enddefine

//#define add_tile(TO, SOURCE, AT)
    // TO += tile · others' rows, by 32 columns.
    //#repeat C COLS
    {
      //#repeat I 2
      {
        let quad = SOURCE_quad(AT, C * CHUNK_QUADS + me % 4u + 4u * I);
        //#repeat E xyzw
        tile_y[me / 4u][(me % 4u + 4u * I) * 4u + E_AT] = quad.E;
        //#end
      }
      //#end
      workgroupBarrier();
      //#repeat K 32
      {
        let other = vec4f(tile_y[K][tx * 4u], tile_y[K][tx * 4u + 1u], tile_y[K][tx * 4u + 2u], tile_y[K][tx * 4u + 3u]);
        //#repeat I 4
        TO[C * 4u + I] = fma(vec4f(tile_x[K][ty * 4u + I]), other, TO[C * 4u + I]);
        //#end
      }
      //#end
      workgroupBarrier();
    }
    //#end
//#enddefine
