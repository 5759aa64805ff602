// The facts about a run of the page that other engines need. Pure.

import type { RunConfig } from '../../config/run-config';
import type { ElsewhereFacts } from '../../export/elsewhere/facts';
import type { Prepared } from '../../train/events';

/** Plain text, and rows of text from any kind of file; all other rows are conversations. */
const isText = (format: string): boolean => /(^|:)(text|plain)$/.test(format);

export const elsewhereFacts = (
  config: RunConfig,
  { modelName, shape, data }: Pick<Prepared, 'modelName' | 'shape' | 'data'>,
): ElsewhereFacts => ({
  config,
  model: modelName,
  style: shape.style,
  tied: shape.tied,
  data: data.name,
  chat: !isText(data.format),
});
