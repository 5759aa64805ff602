// The router: which store takes which event of the worker. An event type that is not handled here does not compile.

import { unreachable } from '../base/errors';
import type { RunEvent } from '../train/events';
import type { Event } from '../worker/protocol';
import { takeCompareFailure, takeReply } from './run/compare';
import { takeDevice, takeProbe, takeResumable } from './run/device';
import { hear } from './run/answering';
import { takeDeviceCheck } from './run/device-check';
import { takeClosed, takeExport, takeExportFailure, takeMoved, takeRefusal, takeRunEvent, takeStep } from './run/events';
import { takeFinished, takeKeepFailure, takeReopening } from './run/finished';
import { note } from './run/log';
import { tellPace } from './run/power';
import { takeProof } from './run/proof';
import { noteSpeed } from './run/speed';
import { takeMeasurement } from './setup/importance';
import { takeHubEvent } from './setup/hub';
import { takeInspection } from './setup/inspect';
import { takeExamination } from './setup/local-model';

export function route(event: Event): void {
  hear();
  switch (event.type) {
    case 'alive':
      return;
    case 'opened':
      // A fresh worker does not know the pace yet.
      tellPace();
      return takeDevice(event);
    case 'speed':
      return takeProbe(event);
    case 'checkingDevice':
    case 'deviceChecked':
    case 'deviceCheckFailed':
      return takeDeviceCheck(event);
    case 'refused':
      return takeRefusal(event.error);
    case 'resumable':
      return takeResumable(event);
    case 'run':
      return routeRun(event.runId, event.event);
    case 'finished':
      return takeFinished(event);
    case 'keepFailed':
      return takeKeepFailure(event);
    case 'reopening':
      return takeReopening(event);
    case 'closed':
      return takeClosed(event.runId);
    case 'exported':
      return takeExport(event);
    case 'exportFailed':
      return takeExportFailure(event);
    case 'reply':
      return takeReply(event);
    case 'compareFailed':
      return takeCompareFailure(event);
    case 'examined':
    case 'examineFailed':
      return takeExamination(event);
    case 'proving':
    case 'proved':
    case 'proveFailed':
      return takeProof(event);
    case 'measuring':
    case 'measured':
    case 'measureFailed':
      return takeMeasurement(event);
    case 'inspecting':
    case 'inspected':
    case 'inspectFailed':
      return takeInspection(event);
    case 'preflight':
    case 'preflightFailed':
    case 'download':
    case 'models':
    case 'modelsFailed':
      return takeHubEvent(event);
    default:
      return unreachable(event);
  }
}

/**
 * What a run reports. The stopwatch and the log hear of it before the run does: the log's line names the step that the page
 * shows when the event arrives, and both know a run by themselves. History, compare and power follow the run's store, not
 * its events.
 */
function routeRun(runId: string, event: RunEvent): void {
  void noteSpeed(runId, event);
  switch (event.type) {
    // The charts show these two, not the log.
    case 'step':
      return takeStep(runId, event.metrics);
    case 'moved':
      return takeMoved(runId, event);
    // A line for every period would be too many for the log.
    case 'importance':
      return takeRunEvent(runId, event);
    case 'phase':
    case 'prepared':
    case 'eval':
    case 'sample':
    case 'verified':
    case 'rounded':
    case 'checkpoint':
    case 'saveFailed':
    case 'done':
    case 'failed':
      note(runId, event, Date.now());
      return takeRunEvent(runId, event);
    default:
      return unreachable(event);
  }
}
