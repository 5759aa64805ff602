// The text behind a setting's "?".

import type { ExplainedKey } from '../has-why';
import { WHYS } from '../whys';

export default function WhyText({ of }: { readonly of: ExplainedKey }) {
  return WHYS[of];
}
