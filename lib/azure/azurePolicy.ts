import { httpDate } from '../retryAfter.ts';
import { deadlineOf } from '../rotation/core/tags.ts';
import type { SecretProperties } from '../rotation/ports.ts';
import type { SeenResponse } from './serviceFailure.ts';

const DAY_MS = 86_400_000;

/**
 * The built-in policies for new versions of secrets, by their ids: https://learn.microsoft.com/azure/key-vault/policy-reference. They
 * count days, and refuse no update of a version that exists.
 */
const POLICIES = {
  expirationSet: ['98728c90-32c7-4049-8429-847dc0f4fe37', 'Key Vault secrets should have an expiration date'],
  contentTypeSet: ['75262d3e-ba4a-4f43-85f8-9f72c090e5e3', 'Secrets should have content type set'],
  longestValidity: [
    '342e8053-e12e-4c44-be01-c3c2f318400f',
    'Secrets should have the specified maximum validity period',
  ],
  shortestRemainder: [
    'b0eb591a-5e70-4534-a8bf-04b9c489584a',
    'Secrets should have more than the specified number of days before expiration',
  ],
  longestActivity: [
    'e8d99835-8a06-45ae-a8e0-87a91941ccfe',
    'Secrets should not be active for longer than the specified number of days',
  ],
} as const;

/** What an assignment may be called in an error text of Azure Policy. */
const ASSIGNMENT = /"policyAssignment"\s*:\s*\{[^{}]*?"name"\s*:\s*"([\w ().-]{1,80})"/;

/** A write that Azure Policy refused. */
export interface PolicyRefusal {
  readonly vaultUrl: string;
  readonly secret: string;
  /** What was written beside the value, if it was a new version. */
  readonly properties: SecretProperties | undefined;
  /** The text of the service. Nothing of it is shown but the name of the assignment, and names that are known. */
  readonly text: string;
  readonly seen: SeenResponse | undefined;
}

/** What to do about it: it names the policy that the text names, or those that refuse such attributes. */
export function policyFix(refusal: PolicyRefusal): string {
  const { vaultUrl, secret, properties } = refusal;
  const quoted = namesOf(refusal).map((name) => `"${name}"`);
  const policy = `the Azure Policy ${quoted.join(' or ')}`;
  const { expiresAt } = properties ?? {};
  if (!properties || quoted.length === 0)
    return `Exempt ${vaultUrl} from the Azure Policy that refuses the request.`;
  if (expiresAt === undefined)
    return `Set expirationHorizon in the entry of the connection, or exempt ${vaultUrl} from ${policy}.`;
  if (deadlineOf(properties) === undefined)
    return `Set expirationHorizon in the entry of the connection to a time that ${policy} allows, or exempt ${vaultUrl} from it.`;
  const day = new Date(expiresAt).toISOString();
  return `Exempt ${vaultUrl} from ${policy}, or name a vault without that policy in the entry: ${secret} expires on ${day}, so the rotator writes no other date.`;
}

function namesOf({ properties, text, seen }: PolicyRefusal): string[] {
  const lower = text.toLowerCase();
  const said = Object.values(POLICIES).filter((words) =>
    words.some((each) => lower.includes(each.toLowerCase())),
  );
  if (said.length > 0) return said.map(([, name]) => name);
  const assignment = ASSIGNMENT.exec(text)?.[1];
  if (assignment !== undefined) return [assignment];
  const { expirationSet, longestValidity, shortestRemainder } = POLICIES;
  if (!properties) return [];
  if (properties.expiresAt === undefined) return [expirationSet[1], longestValidity[1]];
  const now = httpDate(seen?.headers.get('date'));
  const isShort = now !== undefined && properties.expiresAt < now + DAY_MS;
  return isShort ? [shortestRemainder[1]] : [shortestRemainder[1], longestValidity[1]];
}
