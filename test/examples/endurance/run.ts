/** `npm run consumer:endurance -- --minutes 10`: tokens of one minute, two kills of the rotator, 0 failed requests. */
import { parseArgs } from 'node:util';
import { endure } from './endure.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);
if (!(minutes >= 3 && minutes <= 24 * 60)) throw new Error('Set --minutes to a number from 3 to 1440.');

const report = await endure({
  seconds: minutes * 60,
  accessTokenSeconds: 60,
  downSeconds: 10,
  onLine: (line) => console.log(`${new Date().toISOString()} ${line}`),
});
console.log(JSON.stringify(report));
process.exitCode = report.failed === 0 && report.kills === 2 ? 0 : 1;
