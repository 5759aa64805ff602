// The planner's thread: plans of large models take tens of milliseconds each, and an answer takes up to twenty of them.

import { reply, type PlannerReply, type PlannerRequest } from './planner';

addEventListener('message', ({ data }: MessageEvent<PlannerRequest>) => {
  const answer: PlannerReply = reply(data);
  postMessage(answer);
});
