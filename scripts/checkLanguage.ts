/**
 * Finds phrases and old identifiers that confuse readers, in every file that readers open, and commit subjects of more than 72
 * characters. Paths as arguments restrict the search. --summary prints only the number of findings of each rule. Exits with 1 if it finds any.
 *
 * Why the project has its own check: Vale downloads a binary when it is installed. cspell (109 packages) compares single words but no
 * phrases, and
 * textlint with prh (173 packages) reads Markdown but neither comments of TypeScript nor the words inside identifiers.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compileRule, type Finding, findPhrases } from './language/findPhrases.ts';
import rules from './language/rules.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const READ_BY_PEOPLE = /\.(ts|js|md|bicep|bicepparam|json|kql|yml|yaml|cs|py|sh)$/;
/** Third-party texts, texts that are generated from a checked text, and the rules with their examples. */
const LEFT_OUT =
  /^(package-lock\.json|connections\.schema\.json|.*\.snapshot\.json|scripts\/language\/rules\.json)$/;
const LONGEST_SUBJECT = 72;
/** The branch with the commits that have landed: the first of these that exists. */
const LANDED = ['origin/main', 'main'];

const { values, positionals } = parseArgs({
  options: { summary: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const git = (...args: readonly string[]) =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });

function filesToCheck(): string[] {
  const listed = git('ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...positionals);
  const files = listed
    .split('\0')
    .filter((file) => READ_BY_PEOPLE.test(file) && !LEFT_OUT.test(file) && existsSync(`${ROOT}${file}`));
  if (files.length === 0) throw new Error(`No file to check: ${positionals.join(', ')}.`);
  return files;
}

/** Subjects that are too long, of commits that have not landed; none if a shallow clone does not know which commits have landed. */
function longSubjects(): string[] {
  for (const landed of LANDED)
    try {
      const subjects = git('log', '--no-merges', '--format=%h %s', `${landed}..HEAD`).split('\n');
      return subjects.filter((line) => line.replace(/^\w+ /, '').length > LONGEST_SUBJECT);
    } catch {}
  return [];
}

function printFindings(findings: readonly Finding[]): void {
  for (const { file, line, phrase, rule } of findings)
    console.log(`${file}:${line}: ${phrase} → ${rule.better}`);
}

function printSummary(findings: readonly Finding[]): void {
  for (const { name, better } of rules) {
    const count = findings.filter(({ rule }) => rule.name === name).length;
    if (count > 0) console.log(`${String(count).padStart(6)}  ${name} → ${better}`);
  }
}

const compiled = rules.map(compileRule);
const findings = filesToCheck().flatMap((file) =>
  findPhrases(file, readFileSync(`${ROOT}${file}`, 'utf8'), compiled),
);
const long = longSubjects();
(values.summary ? printSummary : printFindings)(findings);
for (const subject of long)
  console.log(`commit ${subject} → at most ${LONGEST_SUBJECT} characters, the reason in the body`);
const files = new Set(findings.map(({ file }) => file)).size;
console.log(`${findings.length} findings in ${files} files, and ${long.length} commits with a long subject.`);
if (findings.length + long.length > 0) process.exitCode = 1;
