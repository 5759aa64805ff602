// The table of settings: everything a person chooses about a run, one row for each. The type RunConfig, its defaults and
// checks, the command line and its --help, links, settings files and the form derive from it. Only what the page calls a
// setting, and why one would change it, is elsewhere (src/ui/labels.ts, src/ui/whys.ts).
//
// To add a setting, add a row to the group that it belongs to, its prose in src/ui, and the code that uses it.

import { DATA } from './fields/data';
import { INTERVALS } from './fields/intervals';
import { LISA } from './fields/lisa';
import { LORA } from './fields/lora';
import { MEMORY } from './fields/memory';
import { OPTIMIZER } from './fields/optimizer';
import { RUN } from './fields/run';
import { SAMPLING } from './fields/sampling';
import { SOURCES } from './fields/sources';

export const FIELDS = {
  ...SOURCES,
  ...RUN,
  ...OPTIMIZER,
  ...LISA,
  ...MEMORY,
  ...LORA,
  ...DATA,
  ...INTERVALS,
  ...SAMPLING,
};
