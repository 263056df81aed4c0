/**
 * Writes docs/reference.md from the tables in the code: connection states, reasons, results, error codes and log events. With --check
 * it writes nothing and exits with 1 if the page is not current.
 */
import { ERROR_CODES } from '../lib/errors.ts';
import { LOG_EVENTS } from '../lib/logEvents.ts';
import { REASONS } from '../lib/rotation/core/decide.ts';
import { RESULTS } from '../lib/rotation/core/outcome.ts';
import { CONNECTION_STATES } from '../lib/rotation/core/status.ts';
import { keepCurrent } from './keepCurrent.ts';

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [columns, columns.map(() => '---'), ...rows].map(line).join('\n');
}

function sentences(column: string, meanings: Readonly<Record<string, string>>): string {
  const rows = Object.entries(meanings).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return table([column, 'means'], rows);
}

function errorCodes(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { means, fix }]) => [`\`${code}\``, means, fix]);
  return table(['code', 'means', 'what to do'], rows);
}

function logEvents(): string {
  const rows = Object.entries(LOG_EVENTS).map(([event, { means, fields }]) => {
    const names = Object.entries(fields).map(([name, kind]) => (kind.endsWith('?') ? `_${name}_` : name));
    return [`\`${event}\``, means, names.join(', ')];
  });
  return table(['event', 'means', 'fields, _not always_'], rows);
}

const wanted = `# Reference

<!-- written by scripts/writeReference.ts: run "npm run reference" after a change of the tables in the code -->

Every name that the rotator shows in its status, its log, its HTTP responses and its commands.

## Connection states

The status of a connection has one state. \`rotator status\` and \`GET /api/connections\` show it.

${sentences('state', CONNECTION_STATES)}

## Reasons

Each rotation has one reason to send a token request or to send none. \`rotation_finished\` in the log and \`rotator plan\` show it.

${sentences('reason', REASONS)}

## Results

Each rotation has one result. \`rotation_finished\` in the log, the HTTP response and \`rotator rotate --json\` show it; \`sweep_finished\` counts them.

${sentences('result', RESULTS)}

## Error codes

A problem has a code, a message that says what happened, and a fix that says what to do. The log, the status, the commands and the HTTP
response (RFC 9457) show all three. NAME is the name of the connection.

${errorCodes()}

## Log events

Each line that the functions print is one JSON object with \`time\`, \`level\` (\`info\`, \`warn\`, \`error\`), \`event\` and the fields of that event.
In the Log Analytics workspace it is the \`Message\` of a row in \`AppTraces\`. No field ever holds a token or a secret.
Durations are milliseconds (\`…Ms\`); \`expires\` is a time in ISO 8601. A field in italics is missing in some lines.

${logEvents()}
`;

keepCurrent('docs/reference.md', () => wanted, 'npm run reference');
