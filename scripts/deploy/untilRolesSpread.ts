/**
 * A new role, or a new assignment of one, takes up to 30 minutes until all of Azure knows it:
 * https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected
 */
const LONGEST_WAIT_MINUTES = 30;
const MINUTE_MS = 60_000;

/** How to wait, and how to tell the operator at the terminal. */
export interface Waiting {
  wait(ms: number): Promise<unknown>;
  /** Prints one line. */
  say(line: string): void;
}

/**
 * Repeats something once a minute, for 30 minutes, as long as it fails because a role has not spread. Each wait prints a line.
 * @param attempt returns what has not spread, or undefined after success; it throws for every other failure
 * @returns the reason of the last failure, or undefined after success
 */
export async function untilRolesSpread(
  { wait, say }: Waiting,
  attempt: () => Promise<string | undefined>,
): Promise<string | undefined> {
  for (let minute = 1; ; minute += 1) {
    const why = await attempt();
    if (why === undefined || minute > LONGEST_WAIT_MINUTES) return why;
    say(`Waiting a minute (${minute} of ${LONGEST_WAIT_MINUTES}), because ${why}.`);
    await wait(MINUTE_MS);
  }
}

/** What Azure prints while a role has not spread, and what it means. A closed firewall reads almost the same: there, no wait helps. */
const SYMPTOMS: readonly (readonly [output: RegExp, meaning: string])[] = [
  [
    /AuthorizationPermissionMismatch|using this permission|InaccessibleStorageException(?!.*this operation\.\))/s,
    'the storage account does not know the role of the app yet',
  ],
  [
    /RoleDefinitionDoesNotExist|role definition with ID '[^']*' does not exist/,
    'Azure does not know the custom role yet',
  ],
  [/PrincipalNotFound/, 'the directory does not know the new identity yet'],
];

/** @returns what has not spread, or undefined if the output of a failed command says something else */
export function notSpread(output: string): string | undefined {
  return SYMPTOMS.find(([symptom]) => symptom.test(output))?.[1];
}
