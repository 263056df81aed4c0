import { type ProviderProfile, providers } from '../oauth/providers/index.ts';
import { ownProfile } from '../oauth/providers/ownProfile.ts';
import { safeName } from '../safeText.ts';
import { readAddress } from './address.ts';
import { ONE_PROVIDER, ownProviderName, type ProviderSection, providerSection } from './connectionSchema.ts';
import { contradictions } from './contradictions.ts';
import { explainIssue, fixOf, joinPath } from './explainIssue.ts';
import { type Finding, repeatedFinding } from './findings.ts';
import { nearest } from './nearest.ts';

/** The profiles that entries can name: those of this program, and those that the file defines. */
export interface KnownProviders {
  /** The problems with the profiles that the file defines. `within` begins at the top of the file. */
  readonly findings: readonly Finding[];
  /**
   * The profile of that name, or the problem with an entry that names it.
   * @param at the path of the entry
   */
  profileOf(name: string, at: string): ProviderProfile | Finding;
}

const builtIn: Readonly<Record<string, ProviderProfile>> = providers;

/**
 * Reads the profiles of a file. One that is not valid makes only the entries invalid that name it.
 * @param repeated the paths of keys that appear twice, by the name of their profile
 * @param allowLoopbackHttp accept plain http if the host is this machine
 */
export function readProviders(
  sections: Readonly<Record<string, unknown>>,
  repeated: ReadonlyMap<string, readonly (readonly string[])[]>,
  allowLoopbackHttp: boolean,
): KnownProviders {
  const own = new Map(
    Object.entries(sections).map(([name, raw]) => [
      name,
      readProvider(name, raw, repeated.get(name) ?? [], allowLoopbackHttp),
    ]),
  );
  const names = [...Object.keys(builtIn), ...own.keys()];
  return {
    findings: [...own.values()].flatMap(({ findings }) => findings),
    profileOf: (name, at) => {
      const known = own.get(name);
      if (!known && Object.hasOwn(builtIn, name)) return builtIn[name] as ProviderProfile;
      if (known?.profile) return known.profile;
      const where = `${at}.provider`;
      const within = ['provider'];
      if (known) {
        const [{ where: place, cause, fix }] = known.findings;
        return { where, cause: `names a profile that is not valid: ${place} ${cause}`, fix, within };
      }
      const meant = nearest(name, names);
      const fix = `Set ${where} to ${meant ?? 'the name of a profile'}, or define the profile in providers.`;
      return { where, cause: ONE_PROVIDER, fix, within };
    },
  };
}

type ReadProvider =
  | { readonly profile: ProviderProfile; readonly findings: readonly [] }
  | { readonly profile?: undefined; readonly findings: readonly [Finding, ...Finding[]] };

function readProvider(
  name: string,
  raw: unknown,
  repeated: readonly (readonly string[])[],
  allowLoopbackHttp: boolean,
): ReadProvider {
  const at = `providers.${safeName(name)}`;
  const inFile = (finding: Finding): Finding => ({
    ...finding,
    within: ['providers', name, ...(finding.within ?? [])],
  });
  const parsed = providerSection.safeParse(raw);
  const findings = [
    ...nameFindings(name, at),
    ...repeated.map((path) => repeatedFinding(at, path)),
    ...(parsed.success
      ? [
          ...templateFindings(parsed.data, at),
          ...addressFindings(parsed.data, at, allowLoopbackHttp),
          ...contradictions(parsed.data).map(({ path, cause, fix }) => {
            const where = joinPath(at, path);
            return { where, cause, fix: fix?.(where) ?? fixOf(at, path), within: path };
          }),
        ]
      : parsed.error.issues.flatMap((issue) => explainIssue(at, issue, Object.keys(providerSection.shape)))),
  ].map(inFile);
  const [first, ...others] = findings;
  if (first) return { findings: [first, ...others] };
  return { profile: ownProfile(name, parsed.data ?? {}), findings: [] };
}

function nameFindings(name: string, at: string): Finding[] {
  const fix = `Rename ${at}.`;
  const issue = ownProviderName.safeParse(name).error?.issues[0];
  if (issue) return [{ where: at, cause: issue.message, fix }];
  return Object.hasOwn(builtIn, name.toLowerCase())
    ? [{ where: at, cause: 'has the name of a profile that the rotator has already', fix }]
    : [];
}

function templateFindings(section: ProviderSection, at: string): Finding[] {
  return (['tokenUri', 'revocationUri', 'scope'] as const).flatMap((key) => {
    const placeholder = placeholderOf(section, key);
    // What is left has a brace or a dollar sign that belongs to no placeholder.
    const rest = (section[key] ?? '').replaceAll(/\$\{/g, '{{').replaceAll(placeholder ?? '{}', '');
    if (!/[{}]/.test(rest)) return [];
    const where = `${at}.${key}`;
    const allowed = placeholder === undefined ? 'there is none here' : `the placeholder is ${placeholder}`;
    const copy =
      key === 'revocationUri' && placeholder === undefined
        ? ' {tenant} is one in a whole address if tokenUri has it.'
        : '';
    return {
      where,
      cause: `has a brace or a word in braces that is not a placeholder; ${allowed}`,
      fix: `Correct ${where}.${copy}`,
      within: [key],
    };
  });
}

/** What an entry can fill in the template of a member. The tenant of a revocation endpoint is that of the token endpoint. */
function placeholderOf(
  { tokenUri, revocationUri }: ProviderSection,
  key: 'tokenUri' | 'revocationUri' | 'scope',
): string | undefined {
  if (key === 'scope') return '{serviceOrigin}';
  const isFilled = key === 'tokenUri' || (tokenUri?.includes(TENANT) && !revocationUri?.startsWith('/'));
  return isFilled ? TENANT : undefined;
}

const TENANT = '{tenant}';

/** The addresses of a profile must be valid whatever the tenant is. */
function addressFindings(section: ProviderSection, at: string, allowLoopbackHttp: boolean): Finding[] {
  return (['tokenUri', 'revocationUri'] as const).flatMap((key) => {
    const text = section[key];
    if (text === undefined || (key === 'revocationUri' && text.startsWith('/'))) return [];
    const { cause } = readAddress(text.replaceAll(TENANT, 'tenant'), { allowLoopbackHttp });
    return cause === undefined ? [] : { where: `${at}.${key}`, cause, fix: fixOf(at, [key]), within: [key] };
  });
}
