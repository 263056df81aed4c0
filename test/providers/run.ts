/** `npm run providers -- [--days N] [PROFILE ...]`: plays six months of each profile against its behavior class, and prints the results. */
import { parseArgs } from 'node:util';
import { type ProviderProfile, providers } from '../../lib/oauth/providers/index.ts';
import { MEMBERS } from './classes.ts';
import { play } from './sixMonths.ts';

const { values, positionals } = parseArgs({ options: { days: { type: 'string' } }, allowPositionals: true });
const days = Number(values.days ?? 182);
const all: readonly ProviderProfile[] = Object.values(providers);
const chosen = positionals.length === 0 ? all : all.filter(({ id }) => positionals.includes(id));
const unknown = positionals.filter((name) => !Object.hasOwn(providers, name));
const classless = chosen.filter(({ id }) => !Object.hasOwn(MEMBERS, id)).map(({ id }) => id);
if (unknown.length > 0) fail(`There is no profile named ${unknown.join(', ')}.`);
if (classless.length > 0)
  fail(
    `Add ${classless.join(', ')} to MEMBERS in test/providers/classes.ts: each profile needs a behavior class.`,
  );

const heading = [
  'profile',
  `kept for ${days} days`,
  'requests',
  'reuses refused',
  'deadlines met',
  'signed in after an unavoidable loss',
  'tokens lost',
];
console.log(heading.join(' | '));
let lost = 0;
for (const [seed, profile] of chosen.entries()) {
  const {
    kept,
    requests,
    reusesRefused,
    deadlinesMet,
    unavoidable,
    lost: here,
    violations,
  } = await play(profile, days, seed);
  lost += here + violations.length;
  console.log(
    [profile.id, kept ? 'yes' : 'NO', requests, reusesRefused, deadlinesMet, unavoidable, here].join(' | '),
  );
  for (const violation of new Set(violations)) console.log(`  ${violation}`);
}
const { user, system } = process.cpuUsage();
console.log(`${chosen.length} profiles, ${lost} problems, ${Math.round((user + system) / 1e6)} s of CPU`);
process.exitCode = lost > 0 ? 1 : 0;

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
