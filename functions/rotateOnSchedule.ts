import { app } from '@azure/functions';
import { rotator } from './rotator.ts';

app.timer('rotateOnSchedule', {
  schedule: '%ROTATION_SCHEDULE%',
  // Throws only if the whole sweep could not run: failures of single connections are in the summary and in the records.
  handler: async () => {
    await rotator().sweep();
  },
});
