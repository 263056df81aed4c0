import { app } from '@azure/functions';
import { rotator } from './rotator.ts';

app.timer('rotateOnSchedule', {
  schedule: '%ROTATION_SCHEDULE%',
  // Throws only where the sweep could not run at all: single failures are in the summary and in the records.
  handler: async () => {
    await rotator().sweep();
  },
});
